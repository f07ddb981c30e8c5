// A filter in Go that greets, written against the ABI itself, since Go's own compiler makes modules that a proxy can
// load. It counts requests, adds a header to each and to its response, refuses /refuse, and asks `side` before it lets
// /ask go on.
package main

import "unsafe"

const (
	goOn = 0
	hold = 1
)

var (
	greeting string
	requests uint32
	// Who waits for which answer.
	waiting = map[uint32]uint32{}
)

// The runtime wants one; it never runs.
func main() {}

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_context_create
func onContextCreate(context, root uint32) {}

//go:wasmexport proxy_on_vm_start
func onVMStart(context, size uint32) uint32 { return 1 }

//go:wasmexport proxy_on_configure
func onConfigure(context, size uint32) uint32 {
	greeting = buffer(pluginConfiguration, size)
	name, length := text("greeted")
	proxyDefineMetric(0, name, length, unsafe.Pointer(&requests))
	if greeting == "" {
		return 0
	}
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(context, count, end uint32) uint32 {
	proxyIncrementMetric(requests, 1)
	addHeader(requestHeaders, "x-greeting", greeting)
	switch header(requestHeaders, ":path") {
	case "/refuse":
		body, bodySize := text("refused by " + greeting)
		headers, size := text(pairs("x-refused", "yes"))
		proxySendResponse(403, nil, 0, body, bodySize, headers, size, -1)
		return hold
	case "/ask":
		cluster, clusterSize := text("side")
		headers, size := text(pairs(":method", "GET", ":path", "/question", ":authority", "side.example"))
		trailers, trailersSize := text(pairs())
		var token uint32
		if proxyHTTPCall(cluster, clusterSize, headers, size, nil, 0, trailers, trailersSize, 1000, unsafe.Pointer(&token)) != 0 {
			return goOn
		}
		waiting[token] = context
		return hold
	}
	return goOn
}

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(root, token, headers, size, trailers uint32) {
	heard := header(calloutHeaders, ":status") + " " + buffer(calloutBody, size)
	context := waiting[token]
	delete(waiting, token)
	if proxySetContext(context) != 0 {
		return
	}
	addHeader(requestHeaders, "x-heard", heard)
	proxyContinue(0)
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(context, count, end uint32) uint32 {
	addHeader(responseHeaders, "x-greeting", greeting)
	return goOn
}

//go:wasmexport proxy_on_log
func onLog(context uint32) { log(greeting + " is done") }

//go:wasmexport proxy_on_done
func onDone(context uint32) uint32 { return 1 }

//go:wasmexport proxy_on_delete
func onDelete(context uint32) {}
