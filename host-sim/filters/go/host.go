package main

import "unsafe"

// The ABI's hostcalls, as many as this filter needs.

//go:wasmimport env proxy_log
func proxyLog(level uint32, text unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBuffer(kind, start, length uint32, to, toSize unsafe.Pointer) uint32

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeader(kind uint32, name unsafe.Pointer, size uint32, to, toSize unsafe.Pointer) uint32

//go:wasmimport env proxy_add_header_map_value
func proxyAddHeader(kind uint32, name unsafe.Pointer, size uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_send_local_response
func proxySendResponse(status uint32, details unsafe.Pointer, detailsSize uint32, body unsafe.Pointer, bodySize uint32,
	headers unsafe.Pointer, headersSize uint32, grpcStatus int32) uint32

//go:wasmimport env proxy_http_call
func proxyHTTPCall(cluster unsafe.Pointer, clusterSize uint32, headers unsafe.Pointer, headersSize uint32,
	body unsafe.Pointer, bodySize uint32, trailers unsafe.Pointer, trailersSize, timeout uint32, token unsafe.Pointer) uint32

//go:wasmimport env proxy_continue_stream
func proxyContinue(kind uint32) uint32

//go:wasmimport env proxy_set_effective_context
func proxySetContext(context uint32) uint32

//go:wasmimport env proxy_define_metric
func proxyDefineMetric(kind uint32, name unsafe.Pointer, size uint32, to unsafe.Pointer) uint32

//go:wasmimport env proxy_increment_metric
func proxyIncrementMetric(metric uint32, by int64) uint32

const (
	requestHeaders  = 0
	responseHeaders = 2
	calloutHeaders  = 6

	calloutBody         = 4
	pluginConfiguration = 7

	logInfo = 2
)

// What the host was given and has not handed back.
var given = map[unsafe.Pointer][]byte{}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) unsafe.Pointer {
	memory := make([]byte, max(size, 1))
	at := unsafe.Pointer(unsafe.SliceData(memory))
	given[at] = memory
	return at
}

// handed takes what the host has written where it was allowed to.
func handed(status uint32, at unsafe.Pointer, size uint32) string {
	memory, known := given[at]
	delete(given, at)
	if status != 0 || !known || int(size) > len(memory) {
		return ""
	}
	return string(memory[:size])
}

func text(s string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
}

func buffer(kind, length uint32) string {
	var at unsafe.Pointer
	var size uint32
	status := proxyGetBuffer(kind, 0, length, unsafe.Pointer(&at), unsafe.Pointer(&size))
	return handed(status, at, size)
}

func header(kind uint32, name string) string {
	var at unsafe.Pointer
	var size uint32
	n, length := text(name)
	status := proxyGetHeader(kind, n, length, unsafe.Pointer(&at), unsafe.Pointer(&size))
	return handed(status, at, size)
}

func addHeader(kind uint32, name, value string) {
	n, nameSize := text(name)
	v, valueSize := text(value)
	proxyAddHeader(kind, n, nameSize, v, valueSize)
}

func log(line string) {
	at, size := text(line)
	proxyLog(logInfo, at, size)
}

// pairs are names and values as the ABI has them: their number, all sizes, and then all texts.
func pairs(texts ...string) string {
	number := func(n int) string {
		return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	}
	sizes, all := number(len(texts)/2), ""
	for _, text := range texts {
		sizes += number(len(text))
		all += text + "\x00"
	}
	return sizes + all
}
