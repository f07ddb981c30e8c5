//! The proxy-wasm filter: hostcalls in, engine, hostcalls out. It decides nothing itself.
//!
//! In reading order: `root` holds the policy of one plugin configuration, `stream` is one request and
//! its answer, `consulting` a request that waits while its backend is asked (by `question`s, which
//! go as `callout`s, and `notes` keeps what was found out), `forwarded` how far an answer has come, `integrity` the check of its body
//! (by what `sumdb` is told beside it),
//! `repeats` tells what the Go command asks for twice, `meters` counts what came of it, `secret` keys
//! what is kept for all workers, `host` is what all of them ask of the proxy.

#![forbid(unsafe_code)]

mod callout;
mod consulting;
mod forwarded;
mod host;
mod integrity;
mod meters;
mod notes;
mod question;
mod repeats;
mod root;
mod secret;
mod stream;
mod sumdb;

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
