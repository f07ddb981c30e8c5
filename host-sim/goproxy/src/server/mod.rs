//! A server for a GOPROXY file tree, which records what it is asked.

mod answer;
mod fault;
mod files;
mod record;

pub use fault::Fault;
pub use record::Recorded;

use super::Error;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use record::State;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves a folder over HTTP/1.1 on a free port of the loopback interface, on a thread of its own,
/// until it is dropped.
///
/// What it answers is what a plain file server answers a Go command: a file whole with
/// `Content-Length`, `Last-Modified` and a strong `ETag`, read from the disk as fast as it is taken,
/// `text/plain` 404 for what is missing, GET and HEAD alone. `Range` and conditions are not honoured:
/// the answer is always the whole file.
/// Every file below the folder is served, those too that are no part of the protocol, as
/// `.ziphash` in a module cache: to refuse them is the business of whoever stands in front.
///
/// ```
/// use modgate_goproxy::{Module, Server, Tree};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let lib = Module::new("corp.example/lib", "v1.2.0").file("lib.go", "package lib\n");
/// let tree = Tree::write(folder.path(), &[lib])?;
/// let server = Server::start(tree.root())?;
/// println!("GOPROXY={}", server.url());
/// assert!(server.requests().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `root`. When this returns, the server listens.
    ///
    /// # Errors
    /// The folder is not there, or the system gives no port, event loop or thread.
    pub fn start(root: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::start_on(root, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// As [`Server::start`], on this address; port 0 takes a free one.
    ///
    /// # Errors
    /// As [`Server::start`], and an address that cannot be taken.
    pub fn start_on(root: impl Into<PathBuf>, address: SocketAddr) -> Result<Self, Error> {
        let root = root.into();
        // Every file is looked for below this, links resolved.
        let root = root.canonicalize().map_err(Error::files("serve", &root))?;
        let system = |source| Error::System {
            root: root.clone(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(system)?;
        let refused = |source| Error::Listen { address, source };
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let state = Arc::new(State::new(root.clone()));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(&listener, &shared) => {}
                    // Told to stop, or the server is gone.
                    _ = stopped => {}
                }
            });
            // A connection that a client keeps open is cut here.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new()
            .name("goproxy".to_owned())
            .spawn(run)
            .map_err(system)?;
        Ok(Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end: what `GOPROXY` or an upstream is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.state.forget_requests();
    }

    /// From now on requests for this path (percent-decoded, with its leading slash) meet this fault.
    pub fn set_fault(&self, path: impl Into<String>, fault: Fault) {
        self.state.set_fault(path.into(), fault);
    }

    /// All paths are answered as they should be again.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so itself.
            _ = thread.join();
        }
    }
}

async fn accept(listener: &TcpListener, state: &Arc<State>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // The client went before it was served, or there are too many files open: others end.
            tokio::task::yield_now().await;
            continue;
        };
        // Headers and body are two writes: the second must not wait for the client's delayed ACK.
        _ = socket.set_nodelay(true);
        let state = Arc::clone(state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer::answer(Arc::clone(&state), request));
            // A connection that breaks is the client's business, or the fault that was requested.
            _ = http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

#[cfg(test)]
mod tests;
