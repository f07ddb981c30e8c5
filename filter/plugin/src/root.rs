//! One plugin configuration: the policy that is active, and the last good one kept.

use std::rc::Rc;

use modgate_flow::{ActivePolicy, Worker};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::host::{ProxyWasm, configuration};
use crate::stream::Stream;

thread_local! {
    /// What this VM keeps through all its configurations.
    static WORKER: Rc<Worker> = Rc::default();
}

/// The root context.
#[derive(Default)]
pub(crate) struct Root {
    active: Option<Rc<ActivePolicy>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Takes a policy over, or refuses it and keeps the one that is active.
    fn on_configure(&mut self, _size: usize) -> bool {
        let document = configuration();
        let configured =
            WORKER.with(|worker| ActivePolicy::configure(&ProxyWasm, worker, document));
        let is_good = configured.is_some();
        self.active = configured.or_else(|| self.active.take());
        is_good
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.active.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
