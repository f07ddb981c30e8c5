// A filter in AssemblyScript that greets. It counts requests, adds a header to each and to its response, refuses
// /refuse, and asks `side` before it lets /ask go on.

export * from "@solo-io/proxy-runtime/proxy";
import {
  BaseContext, Context, Counter, FilterHeadersStatusValues, GrpcStatusValues, HeaderPair, LogLevelValues, RootContext,
  WasmResultValues, continue_request, log, registerRootContext, send_local_response, stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues, get_buffer_bytes } from "@solo-io/proxy-runtime/runtime";

class Root extends RootContext {
  requests: Counter | null = null;

  onConfigure(size: u32): bool {
    super.onConfigure(size);
    this.requests = new Counter("greeted");
    return this.getConfiguration() != "";
  }

  createContext(id: u32): Context {
    return new Stream(id, this);
  }
}

function pair(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value));
}

class Stream extends Context {
  constructor(id: u32, root: Root) {
    super(id, root);
  }

  onRequestHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root;
    const greeting = root.getConfiguration();
    const requests = root.requests;
    if (requests != null) requests.increment(1);
    const headers = stream_context.headers.request;
    headers.add("x-greeting", greeting);
    const path = headers.get(":path");
    if (path == "/refuse") {
      const body = String.UTF8.encode("refused by " + greeting);
      send_local_response(403, "", body, [pair("x-refused", "yes")], GrpcStatusValues.Ok);
      return FilterHeadersStatusValues.StopIteration;
    }
    if (path == "/ask") {
      const question = [pair(":method", "GET"), pair(":path", "/question"), pair(":authority", "side.example")];
      const asked = root.httpCall("side", question, new ArrayBuffer(0), [], 1000, this,
        (origin: Context, _headers: u32, size: usize, _trailers: u32): void => {
          const status = stream_context.headers.http_callback.get(":status");
          const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, size as u32));
          origin.setEffectiveContext();
          stream_context.headers.request.add("x-heard", status + " " + body);
          continue_request();
        });
      if (asked == WasmResultValues.Ok) return FilterHeadersStatusValues.StopIteration;
    }
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-greeting", this.root_context.getConfiguration());
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    log(LogLevelValues.info, this.root_context.getConfiguration() + " is done");
  }
}

registerRootContext((id: u32): RootContext => new Root(id), "greets");
