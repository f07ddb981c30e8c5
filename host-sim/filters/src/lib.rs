//! Filters that do what no filter should. Which one it is, is the configuration's text: a variant of
//! `oddity::Oddity` for each. Built to `.work/filters/odd.wasm`, and played by the scenarios in `tests/scenarios/odd`, in
//! the simulator and in Envoy.

mod grpc;
mod headers;
mod held;
mod oddity;
mod raw;
mod root;
mod stream;
mod tag;

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
