//! A proxy-wasm host with the semantics of Envoy.
