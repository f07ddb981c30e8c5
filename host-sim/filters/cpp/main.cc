// A filter in C++ that greets, of ABI 0.2.0 and with neither SDK nor library: its memory comes from `malloc`, and its
// entry is `_start`. It counts requests, adds a header to each and to its response, refuses /refuse, and asks `side`
// before it lets /ask go on.

#include "host.h"

namespace {

constexpr u32 GO_ON = 0, HOLD = 1;
constexpr u32 REQUEST_HEADERS = 0, RESPONSE_HEADERS = 2, CALLOUT_HEADERS = 6;
constexpr u32 CALLOUT_BODY = 4, PLUGIN_CONFIGURATION = 7;
constexpr u32 INFO = 2, COUNTER = 0, NO_GRPC = 0xffffffff;

Line greeting;
u32 requests;
bool started;

// Who waits for which answer; one that does not fit in is not asked for.
struct Waiting {
  u32 token, context;
} waiting[64];

// What the host hands over lies here until the callback is over.
char heap[1 << 16];
u32 used;

Text header(u32 map, Text name) {
  char *at = nullptr;
  u32 size = 0;
  if (proxy_get_header_map_value(map, name.at, name.size, &at, &size) != 0) return Text("");
  return Text(at, size);
}

Text buffer(u32 kind, u32 length) {
  char *at = nullptr;
  u32 size = 0;
  if (proxy_get_buffer_bytes(kind, 0, length, &at, &size) != 0) return Text("");
  return Text(at, size);
}

void add(u32 map, Text name, Text value) { proxy_add_header_map_value(map, name.at, name.size, value.at, value.size); }

bool ask(u32 context) {
  for (Waiting &slot : waiting) {
    if (slot.token != 0) continue;
    Line headers = pairs({Text(":method"), Text("GET"), Text(":path"), Text("/question"), Text(":authority"), Text("side.example")});
    Line trailers;
    trailers.number(0);
    Text side("side");
    u32 token = 0;
    if (proxy_http_call(side.at, side.size, headers.bytes, headers.size, nullptr, 0, trailers.bytes, trailers.size, 1000, &token) != 0)
      return false;
    slot = {token, context};
    return true;
  }
  return false;
}

} // namespace

EXPORT(proxy_abi_version_0_2_0) void proxy_abi_version_0_2_0() {}

EXPORT(_start) void start() { started = true; }

EXPORT(malloc) void *allocate(u32 size) {
  if (size > sizeof heap) return nullptr;
  if (size > sizeof heap - used) used = 0;
  char *at = heap + used;
  used += (size + 7) & ~7u;
  if (used > sizeof heap) used = sizeof heap;
  return at;
}

EXPORT(proxy_on_context_create) void on_context_create(u32, u32) {}

EXPORT(proxy_on_vm_start) u32 on_vm_start(u32, u32) { return started; }

EXPORT(proxy_on_configure) u32 on_configure(u32, u32 size) {
  greeting.size = 0;
  greeting += buffer(PLUGIN_CONFIGURATION, size);
  Text name("greeted");
  proxy_define_metric(COUNTER, name.at, name.size, &requests);
  return greeting.size > 0;
}

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 context, u32, u32) {
  proxy_increment_metric(requests, 1);
  add(REQUEST_HEADERS, "x-greeting", greeting.text());
  Text path = header(REQUEST_HEADERS, ":path");
  if (path == Text("/refuse")) {
    Line body;
    (body += "refused by ") += greeting.text();
    Line headers = pairs({Text("x-refused"), Text("yes")});
    proxy_send_local_response(403, nullptr, 0, body.bytes, body.size, headers.bytes, headers.size, NO_GRPC);
    return HOLD;
  }
  return path == Text("/ask") && ask(context) ? HOLD : GO_ON;
}

EXPORT(proxy_on_http_call_response) void on_http_call_response(u32, u32 token, u32, u32 size, u32) {
  Line heard;
  ((heard += header(CALLOUT_HEADERS, ":status")) += " ") += buffer(CALLOUT_BODY, size);
  for (Waiting &slot : waiting) {
    if (slot.token != token) continue;
    slot.token = 0;
    if (proxy_set_effective_context(slot.context) != 0) return;
    add(REQUEST_HEADERS, "x-heard", heard.text());
    proxy_continue_stream(0);
  }
}

EXPORT(proxy_on_response_headers) u32 on_response_headers(u32, u32, u32) {
  add(RESPONSE_HEADERS, "x-greeting", greeting.text());
  return GO_ON;
}

EXPORT(proxy_on_log) void on_log(u32) {
  Line line;
  (line += greeting.text()) += " is done";
  proxy_log(INFO, line.bytes, line.size);
}

EXPORT(proxy_on_done) u32 on_done(u32) { return 1; }

EXPORT(proxy_on_delete) void on_delete(u32) {}
