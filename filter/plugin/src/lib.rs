//! The proxy-wasm filter: the proxy's callbacks in, `modgate_flow` in the middle, hostcalls out. It decides nothing itself.
//!
//! In reading order: `root` is one plugin configuration, `stream` one request and its response, `host` is what
//! `modgate_flow` needs of a proxy, by proxy-wasm's hostcalls.
//!
//! Layers, lowest first: host, stream, root.

#![forbid(unsafe_code)]

mod host;
mod root;
mod stream;

/// Where the proxy starts the module. A module of its own, since the macro makes a public function.
mod entry {
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    use crate::root::Root;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root::default()) });
    }}
}
