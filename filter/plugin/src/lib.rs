//! The proxy-wasm filter: hostcalls in, engine, hostcalls out. It decides nothing itself.
//!
//! In reading order: `root` holds the policy of one plugin configuration, `stream` is one
//! request and its answer, `forwarded` how far that has come, `integrity` the check of an answer's body, `repeats` tells what the Go command asks for twice, `meters` counts what came of it, `host` is what both ask of the proxy.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "the next steps make requests of their own")]
mod callout;
mod forwarded;
mod host;
mod integrity;
mod meters;
mod repeats;
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
