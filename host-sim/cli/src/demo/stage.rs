//! What runs: two Go proxies of generated modules, and the filter in front of them.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use envoy_wasm_host::LogLevel;
use envoy_wasm_serve::{AccessRecord, ModuleSource, Policy, Server, Upstream};
use modgate_goproxy::{self as goproxy, Tree, samples};
use tempfile::TempDir;

use crate::filter;
use crate::out;

/// The policy of the demonstration.
const POLICY: &str = include_str!("../../../../examples/demo/policy.json");

/// Where the private proxy has its modules: what the policy's route rewrites to.
const PRIVATE_BASE: &str = "private.proxy/v1";

/// How long a request may take to be accounted for after its client has the answer.
const ACCOUNTED: Duration = Duration::from_secs(10);

/// All that runs, on free ports, until it is dropped: the filter first, the files last.
#[derive(Debug)]
pub(super) struct Stage {
    /// The filter, as a proxy.
    pub(super) filter: Server,
    /// The proxy of public modules.
    pub(super) public: goproxy::Server,
    /// The proxy of the company's modules.
    pub(super) private: goproxy::Server,
    /// The policy that the filter was started with, in the same engine.
    pub(super) policy: modgate_policy::model::Policy,
    log: Arc<Mutex<Vec<AccessRecord>>>,
    _files: TempDir,
}

impl Stage {
    /// Makes the modules and starts the servers.
    pub(super) fn set(wasm: PathBuf) -> Result<Self, Box<dyn Error>> {
        let policy = modgate_policy::model::Policy::from_json(POLICY.as_bytes())
            .map_err(|errors| errors.iter().map(|e| format!("{e}; ")).collect::<String>())?;
        let files = TempDir::with_prefix("modgate-demo-")?;
        let public = Tree::write(files.path().join("public"), &samples::public())?;
        let private_root = files.path().join("private");
        Tree::write(private_root.join(PRIVATE_BASE), &samples::private())?;
        let public = goproxy::Server::start(public.root())?;
        let private = goproxy::Server::start(private_root)?;

        let upstreams = vec![
            Upstream::new("public", &public.url())?,
            Upstream::new("private", &private.url())?,
        ];
        let module = ModuleSource::File(wasm);
        let mut config = filter::serve(module, Policy::Fixed(POLICY.into()), upstreams);
        let log = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::clone(&log);
        config.access_log = Some(Arc::new(move |record: &AccessRecord| {
            let mut log = ended.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(record.clone());
        }));
        config.log = Some(Arc::new(|level, line| {
            if level >= LogLevel::Warn {
                out::note(format_args!("modgate: {line}"));
            }
        }));
        Ok(Self {
            filter: Server::start(config)?,
            public,
            private,
            policy,
            log,
            _files: files,
        })
    }

    /// The `GOPROXY` with this path.
    pub(super) fn goproxy(&self, path: &str) -> String {
        format!("http://{}{path}", self.filter.address())
    }

    /// The backends by their names in the policy.
    pub(super) const fn backends(&self) -> [(&'static str, &goproxy::Server); 2] {
        [("public", &self.public), ("private", &self.private)]
    }

    /// How many requests have ended.
    pub(super) fn ended(&self) -> usize {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// What became of the last request for this path. A client has its answer a moment before the
    /// request is accounted for, so this waits where there is none yet.
    pub(super) fn record(&self, path: &str) -> Option<AccessRecord> {
        let end = Instant::now() + ACCOUNTED;
        loop {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let found = log.iter().rev().find(|record| record.path == path).cloned();
            drop(log);
            if found.is_some() || Instant::now() > end {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
