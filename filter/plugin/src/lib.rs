//! The proxy-wasm filter: hostcalls in, engine, hostcalls out.
