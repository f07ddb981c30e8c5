//! A worker thread: its event loop, its VM, its connections.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::{Downstream, LogLevel, PluginConfig, Protocol};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};

use super::channel::{ChannelBody, Reset};
use super::convert::{self, Refusal};
use super::lengths::Watched;
use super::shared::Shared;
use super::slot::Slot;
use super::stream::StreamTask;
use super::upstream::{UpstreamConfig, Upstreams};

/// How long a client may take to send a request's headers.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(60);
/// All headers of a request together, about as much as Envoy takes.
const HEADERS_LIMIT: usize = 64 * 1024;
/// How long to wait before accepting again where the machine has no descriptors left.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What a worker thread receives while it runs.
pub(super) enum Command {
    /// A policy that was tried out.
    Reconfigure(PluginConfig),
}

/// What a worker thread starts with.
pub(super) struct ThreadConfig {
    pub shared: Arc<Shared>,
    pub listener: TcpListener,
    pub upstreams: UpstreamConfig,
    pub plugin: PluginConfig,
    pub commands: mpsc::UnboundedReceiver<Command>,
    /// True once the proxy is to stop.
    pub stop: watch::Receiver<bool>,
    pub drain: Duration,
    pub idle: Duration,
}

/// What the tasks of a worker thread share.
struct Thread {
    shared: Arc<Shared>,
    upstreams: Rc<Upstreams>,
    slot: RefCell<Slot>,
    idle: Duration,
    local: SocketAddr,
    connections: Cell<usize>,
    all_gone: tokio::sync::Notify,
}

/// Runs a worker until the proxy stops. `ready` hears whether it has started.
pub(super) fn run(config: ThreadConfig, ready: &std::sync::mpsc::Sender<Result<(), String>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            // Who started the thread waits for this; if it is gone nobody receives it.
            _ = ready.send(Err(error.to_string()));
            return;
        }
    };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve(config, ready));
}

async fn serve(config: ThreadConfig, ready: &std::sync::mpsc::Sender<Result<(), String>>) {
    let mut commands = config.commands;
    let stop = config.stop.clone();
    let started = Thread::start(config.shared, &config.upstreams, config.plugin, config.idle)
        .and_then(|thread| {
            let listener = config.listener;
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            let listener = tokio::net::TcpListener::from_std(listener);
            let listener = listener.map_err(|error| error.to_string())?;
            Ok((
                Thread {
                    local: address,
                    ..thread
                },
                listener,
            ))
        });
    let (thread, listener) = match started {
        Ok(started) => started,
        Err(error) => {
            _ = ready.send(Err(error));
            return;
        }
    };
    let thread = Rc::new(thread);
    _ = ready.send(Ok(()));
    let mut stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    tokio::task::spawn_local(connection(Rc::clone(&thread), stream, client, stop.clone()));
                }
                Err(error) => {
                    thread.shared.log_repeated(LogLevel::Warn, &format!("cannot accept a connection: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(command) = commands.recv() => thread.obey(command),
            // The sender goes only with the proxy.
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    drop(listener);
    thread.drain(config.drain).await;
    thread.slot.borrow().retire();
}

impl Thread {
    fn start(
        shared: Arc<Shared>,
        upstreams: &UpstreamConfig,
        plugin: PluginConfig,
        idle: Duration,
    ) -> Result<Self, String> {
        let upstreams = Rc::new(Upstreams::new(upstreams));
        let slot = Slot::start(&shared, &upstreams, plugin).map_err(|error| error.to_string())?;
        Ok(Self {
            shared,
            upstreams,
            slot: RefCell::new(slot),
            idle,
            local: SocketAddr::from(([0, 0, 0, 0], 0)),
            connections: Cell::new(0),
            all_gone: tokio::sync::Notify::new(),
        })
    }

    fn obey(&self, command: Command) {
        match command {
            Command::Reconfigure(plugin) => self.slot.borrow_mut().reconfigure(plugin),
        }
    }

    /// Waits for connections to end, but not for ever.
    async fn drain(&self, limit: Duration) {
        let all_gone = async {
            while self.connections.get() > 0 {
                self.all_gone.notified().await;
            }
        };
        if tokio::time::timeout(limit, all_gone).await.is_err() {
            let line = format!(
                "{} connections were still open after {} s and were closed",
                self.connections.get(),
                limit.as_secs()
            );
            self.shared.log(LogLevel::Warn, &line);
        }
    }
}

/// Serves a connection, HTTP/1.1 or HTTP/2, until it ends; once the proxy is to stop, until its
/// running requests have ended.
async fn connection(
    thread: Rc<Thread>,
    stream: TcpStream,
    client: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    thread.connections.set(thread.connections.get() + 1);
    // Without it a last small packet waits for the client's acknowledgement.
    _ = stream.set_nodelay(true);
    let connection_id = thread.shared.next_connection();
    let (stream, refused) = Watched::new(stream);
    let requests = Cell::new(0);
    let service = service_fn(|request| {
        let client = Client {
            address: client,
            connection_id,
            is_refused: refused.has(requests.replace(requests.get() + 1)),
        };
        handle(Rc::clone(&thread), request, client)
    });
    let mut server = auto::Builder::new(LocalExecutor);
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIMEOUT)
        .max_buf_size(HEADERS_LIMIT);
    server.http2().timer(TokioTimer::new());
    let mut serving = pin!(server.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = serving.as_mut() => result,
        _ = stop.wait_for(|stop| *stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    // How a client's connection breaks is the client's affair; its requests have been reported.
    drop(result);
    thread.connections.set(thread.connections.get() - 1);
    thread.all_gone.notify_one();
}

/// Whom a request comes from.
struct Client {
    address: SocketAddr,
    connection_id: u64,
    /// Whether the request says twice how long it is.
    is_refused: bool,
}

async fn handle(
    thread: Rc<Thread>,
    request: Request<Incoming>,
    client: Client,
) -> Result<Response<ChannelBody>, Reset> {
    let Client {
        address: client,
        connection_id,
        is_refused,
    } = client;
    if is_refused {
        return Ok(Refusal::BadRequest.response());
    }
    let request_id = super::request_id::new();
    let cluster_header = thread.shared.conventions.cluster_header.as_deref();
    let headers = match convert::request_headers(&request, client, request_id, cluster_header) {
        Ok(headers) => headers,
        Err(refusal) => return Ok(Refusal::response(refusal)),
    };
    let http1 = request.version() < http::Version::HTTP_2;
    let downstream = Downstream {
        connection_id,
        source: client,
        local: thread.local,
        protocol: if http1 {
            Protocol::Http11
        } else {
            Protocol::Http2
        },
        tls: None,
        metadata: Vec::new(),
    };
    let vm = thread.slot.borrow_mut().vm();
    let root = vm.root();
    let id = vm.with(|worker| worker.create_stream(root, downstream));
    let effects = vm.register(id);
    let task = StreamTask {
        vm,
        shared: Arc::clone(&thread.shared),
        upstreams: Rc::clone(&thread.upstreams),
        id,
        client,
        http1,
        idle: thread.idle,
    };
    let (respond, response) = oneshot::channel();
    let body = request.into_body();
    tokio::task::spawn_local(task.run(effects, headers, body, respond));
    response.await.map_err(|_| Reset)
}

/// Runs HTTP/2's tasks on the worker's own thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async {
            future.await;
        });
    }
}
