// The ABI's hostcalls, as many as this filter needs, and texts to hand over and take. There is no standard library.
#pragma once

using u32 = unsigned int;
using i64 = long long;

#define HOST(name) extern "C" __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

HOST(proxy_log) u32 proxy_log(u32 level, const char *text, u32 size);
HOST(proxy_get_buffer_bytes) u32 proxy_get_buffer_bytes(u32 kind, u32 start, u32 length, char **to, u32 *size);
HOST(proxy_get_header_map_value)
u32 proxy_get_header_map_value(u32 map, const char *name, u32 name_size, char **to, u32 *size);
HOST(proxy_add_header_map_value)
u32 proxy_add_header_map_value(u32 map, const char *name, u32 name_size, const char *value, u32 value_size);
HOST(proxy_send_local_response)
u32 proxy_send_local_response(u32 status, const char *details, u32 details_size, const char *body, u32 body_size,
                              const char *headers, u32 headers_size, u32 grpc_status);
HOST(proxy_http_call)
u32 proxy_http_call(const char *cluster, u32 cluster_size, const char *headers, u32 headers_size, const char *body,
                    u32 body_size, const char *trailers, u32 trailers_size, u32 timeout, u32 *token);
HOST(proxy_continue_stream) u32 proxy_continue_stream(u32 kind);
HOST(proxy_set_effective_context) u32 proxy_set_effective_context(u32 context);
HOST(proxy_define_metric) u32 proxy_define_metric(u32 kind, const char *name, u32 size, u32 *metric);
HOST(proxy_increment_metric) u32 proxy_increment_metric(u32 metric, i64 by);

// A text that is somewhere else.
struct Text {
  const char *at;
  u32 size;

  template <u32 N> constexpr Text(const char (&literal)[N]) : at(literal), size(N - 1) {}
  constexpr Text(const char *at, u32 size) : at(at), size(size) {}

  bool operator==(const Text &other) const {
    if (size != other.size) return false;
    for (u32 i = 0; i < size; i++)
      if (at[i] != other.at[i]) return false;
    return true;
  }
};

// Some texts behind one another.
struct Line {
  char bytes[512];
  u32 size = 0;

  Line &operator+=(Text text) {
    for (u32 i = 0; i < text.size && size < sizeof bytes; i++) bytes[size++] = text.at[i];
    return *this;
  }

  Line &number(u32 value) {
    for (u32 shift = 0; shift < 32; shift += 8) {
      char byte = static_cast<char>(value >> shift);
      *this += Text(&byte, 1);
    }
    return *this;
  }

  Text text() const { return Text(bytes, size); }
};

// Names and values as the ABI has them: their number, all sizes, and then all texts, each with a 0 behind it.
template <u32 N> Line pairs(const Text (&texts)[N]) {
  Line line;
  line.number(N / 2);
  for (const Text &text : texts) line.number(text.size);
  for (const Text &text : texts) (line += text) += Text("\0", 1);
  return line;
}
