//! The plugin: it reads what kind of filter it is.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, MetricType};

use crate::grpc::Asker;
use crate::held::{self, Holder, Waiters, Waker};
use crate::oddity::Oddity;
use crate::stream::Stream;
use crate::tag::{Tag, configured};

/// The streams that the next tick lets go on.
pub(crate) type Waiting = Rc<RefCell<Vec<u32>>>;

/// The plugin.
#[derive(Default)]
pub(crate) struct Root {
    oddity: Option<Oddity>,
    waiting: Waiting,
    holders: Waiters,
    /// Counts the callbacks of streams.
    calls: u32,
    tag: Tag,
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        if self.oddity == Some(Oddity::Tags) {
            self.tag.done();
        }
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let name = String::from_utf8_lossy(&text);
        self.oddity = Oddity::named(&name);
        if matches!(self.oddity, None | Some(Oddity::Refuses)) {
            let _ = hostcalls::log(
                proxy_wasm::types::LogLevel::Error,
                &format!("{name}: no such filter"),
            );
            return false;
        }
        assert!(
            self.oddity != Some(Oddity::TrapsInItsConfiguration),
            "a trap"
        );
        self.calls = hostcalls::define_metric(MetricType::Counter, "odd_calls").unwrap_or(0);
        if self.oddity == Some(Oddity::Tags) {
            self.tag = Tag::of(name.strip_prefix("tags ").unwrap_or_default());
            configured();
            self.set_tick_period(Duration::from_millis(100));
        }
        if let Some((key, number)) = name
            .strip_prefix("shares ")
            .and_then(|shared| shared.split_once(' '))
        {
            let number: u32 = number.parse().unwrap_or(0);
            return hostcalls::set_shared_data(key, Some(&number.to_le_bytes()), None).is_ok();
        }
        if let Some(most) = name.strip_prefix("refuses after ") {
            return configured() <= most.parse().unwrap_or(0);
        }
        if let Some(most) = name.strip_prefix("traps after ") {
            assert!(configured() <= most.parse().unwrap_or(0), "a trap");
        }
        if matches!(
            self.oddity,
            Some(Oddity::WaitsForATick | Oddity::ContinuesTwice | Oddity::EditsHeldBodies)
        ) {
            self.set_tick_period(Duration::from_millis(50));
        }
        true
    }

    fn on_tick(&mut self) {
        if self.oddity == Some(Oddity::Tags) {
            self.tag.ticks();
        }
        self.holders.wake(Waker::Tick);
        for stream in self.waiting.take() {
            if hostcalls::set_effective_context(stream).is_ok() {
                let _ = hostcalls::resume_http_request();
                if self.oddity == Some(Oddity::ContinuesTwice) {
                    let _ = hostcalls::resume_http_request();
                }
            }
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        held::queue_ready(&self.holders, queue);
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let oddity = self.oddity?;
        if oddity.is_grpc() {
            return Some(Box::new(Asker::new(oddity)));
        }
        if oddity == Oddity::EditsHeldBodies {
            return Some(Box::new(Holder::new(id, self.holders.clone())));
        }
        Some(Box::new(Stream {
            id,
            oddity,
            waiting: self.waiting.clone(),
            calls: self.calls,
            chunks: 0,
            path: String::new(),
            tag: self.tag.clone(),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
