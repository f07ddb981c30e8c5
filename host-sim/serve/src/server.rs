//! A running proxy.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

use envoy_wasm_host::{
    Engine, EngineOptions, Module, Proxy, ProxyConfig, clock::RealClock, stats::Series,
};
use tokio::sync::{mpsc, watch};

use super::admin;
use super::backends::Backends;
use super::config::{ModuleSource, Policy, ServeConfig};
use super::error::ServeError;
use super::policy_watch::{self, PolicyWatch};
use super::repeated::Repeated;
use super::shared::{Shared, TrialError};
use super::thread::{self, Command, ThreadConfig};
use super::upstream::UpstreamConfig;

/// What `serve` answers where an upstream cannot be reached: a gateway's own status. (Envoy's is
/// 503, which the same metrics count the same way.)
const UNREACHABLE_STATUS: u16 = 502;

/// A proxy that runs on threads of its own, until [`Server::shutdown`] or until it is dropped.
///
/// ```no_run
/// use envoy_wasm_serve::{ModuleSource, Policy, ServeConfig, Server, Upstream};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shop = Upstream::new("shop", "http://127.0.0.1:3000")?;
/// let module = ModuleSource::File("filter.wasm".into());
/// let policy = Policy::File("filter.json".into());
/// let server = Server::start(ServeConfig::new(module, policy, vec![shop]))?;
/// println!("http://{}", server.address());
/// server.shutdown();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin: SocketAddr,
    proxy: Arc<Proxy>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a proxy. When this returns, it listens and its workers have taken the policy.
    ///
    /// # Errors
    /// One sentence: module, policy or an address cannot be used.
    pub fn start(config: ServeConfig) -> Result<Self, ServeError> {
        let engine = Engine::new(&EngineOptions {
            fuel: false,
            cache: config.module_cache.clone(),
        })?;
        let module = match &config.module {
            ModuleSource::File(path) => Module::from_file(&engine, path),
            ModuleSource::Bytes(binary) => Module::new(&engine, binary),
        }?;
        let content = read_policy(&config.policy)?;
        let backends = Backends::new(config.secrets.clone());
        let upstreams = UpstreamConfig::new(
            &config.upstreams,
            config.connect_timeout,
            &config.ca_files,
            backends.clone(),
        )?;
        let shared = Arc::new(Shared {
            proxy: Proxy::new(proxy_config(&config)),
            module,
            conventions: config.conventions.clone(),
            access_log: config.access_log.clone(),
            line_log: config.log.clone(),
            policy_reader: config.policy_reader.clone(),
            policy_format: config.policy_format.clone(),
            backends: backends.clone(),
            connections: AtomicU64::new(1),
            repeated: Repeated::default(),
        });
        let policy = match &config.policy {
            Policy::Fixed(policy) => policy.clone(),
            Policy::File(path) => shared
                .format(path, &content)
                .map_err(|reason| ServeError::PolicyRefused { reason })?,
        };
        shared
            .try_out(shared.plugin(&policy))
            .map_err(|error| match error {
                TrialError::Refused(reason) => ServeError::PolicyRefused { reason },
                TrialError::Broken(error) => ServeError::Start(error),
            })?;
        let (listener, address) = listen(config.listen)?;
        let (admin_listener, admin) = listen(config.admin)?;
        let (stop, stopping) = watch::channel(false);
        let mut server = Self {
            address,
            admin,
            proxy: Arc::clone(&shared.proxy),
            stop,
            threads: Vec::new(),
        };
        let workers = server.start_workers(&config, &shared, &upstreams, &policy, &listener)?;
        let admin_shared = Arc::clone(&shared);
        let admin_stop = stopping.clone();
        server.spawn("admin", move || {
            admin::run(&admin_shared, admin_listener, &admin_stop);
        })?;
        if let Policy::File(path) = config.policy {
            let watch = PolicyWatch {
                path,
                every: config.policy_poll,
                shared,
                workers,
                stop: stopping,
                evaluated: content,
            };
            server.spawn("policy", move || watch.run())?;
        }
        Ok(server)
    }

    /// Address for client requests.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Address for `/metrics` and `/ready`.
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// What the metrics show now, the same as `/metrics`.
    pub fn metrics(&self) -> Vec<Series> {
        self.proxy.stats().series()
    }

    /// Accepts no more requests, lets those that run end, and returns when all is down.
    pub fn shutdown(mut self) {
        self.stop_and_wait();
    }

    fn stop_and_wait(&mut self) {
        // Where nobody listens any more, all has stopped.
        _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has reported it itself.
            _ = thread.join();
        }
    }

    fn start_workers(
        &mut self,
        config: &ServeConfig,
        shared: &Arc<Shared>,
        upstreams: &UpstreamConfig,
        policy: &[u8],
        listener: &TcpListener,
    ) -> Result<Vec<mpsc::UnboundedSender<Command>>, ServeError> {
        let (ready, started) = std::sync::mpsc::channel();
        let mut commands = Vec::new();
        let count = config.workers.max(1);
        for number in 0..count {
            let (sender, receiver) = mpsc::unbounded_channel();
            commands.push(sender);
            let thread = ThreadConfig {
                shared: Arc::clone(shared),
                listener: listener.try_clone().map_err(system)?,
                upstreams: upstreams.clone(),
                plugin: shared.plugin(policy),
                commands: receiver,
                stop: self.stop.subscribe(),
                drain: config.drain,
                idle: config.idle_timeout,
            };
            let ready = ready.clone();
            self.spawn(&format!("worker-{number}"), move || {
                thread::run(thread, &ready);
            })?;
        }
        for _ in 0..count {
            started
                .recv()
                .map_err(|_| ServeError::System("a worker thread ended during startup".to_owned()))?
                .map_err(ServeError::System)?;
        }
        Ok(commands)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
        let thread = std::thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(run).map_err(system)?);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_and_wait();
    }
}

fn proxy_config(config: &ServeConfig) -> ProxyConfig {
    ProxyConfig {
        clusters: config.upstreams.iter().map(|u| u.name.clone()).collect(),
        route: config.conventions.route(&config.upstreams),
        unreachable_status: UNREACHABLE_STATUS,
        stats: config.stats.clone(),
        clock: Arc::new(RealClock::new()),
        // Guests seed their hash tables with it.
        seed: RandomState::new().build_hasher().finish(),
        ..ProxyConfig::default()
    }
}

fn read_policy(policy: &Policy) -> Result<Vec<u8>, ServeError> {
    match policy {
        Policy::Fixed(policy) => Ok(policy.clone()),
        Policy::File(path) => {
            policy_watch::read(path).map_err(|source| ServeError::PolicyUnreadable {
                path: path.clone(),
                source,
            })
        }
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let refused = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn system(error: std::io::Error) -> ServeError {
    ServeError::System(error.to_string())
}
