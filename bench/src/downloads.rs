//! Downloads of real module zips: how long they take, and how long others wait meanwhile.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::SendRequest;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::load::{ask, handshake};
use super::workload::{CLUSTER, Request};
use modgate_harness::module_zips::ModuleZip;

/// How long a small request rests after the last one.
const REST: Duration = Duration::from_millis(2);

/// What the filter's tenant is asked by; an Envoy without the filter would not take it off.
pub const PREFIX: &str = "/t/web";

/// The request for a module's file of this ending, behind a prefix: as it stands in a module cache,
/// which is a GOPROXY.
pub fn file_of(module: &ModuleZip, end: &str, prefix: &str) -> Request {
    let zip = module.zip.to_string_lossy();
    let (_, path) = zip
        .split_once("/cache/download/")
        .unwrap_or_else(|| panic!("{zip} is in no module cache"));
    let name = path.strip_suffix("zip").unwrap_or(path);
    Request {
        path: format!("{prefix}/{name}{end}"),
        header: None,
    }
}

/// A policy that holds every zip against its pin.
pub fn policy(modules: &[ModuleZip]) -> Value {
    let pins: Vec<String> = modules
        .iter()
        .map(|module| format!("{} {} {}", module.path, module.version, module.sum))
        .collect();
    json!({
        "version": "bench",
        "default": "allow",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {}},
        "backends": {"main": {"cluster": CLUSTER}},
        "routes": [{"id": "all", "backend": "main"}],
        "access_log": false,
        "integrity": {
            "mode": "enforce", "pins": pins, "on_unknown": "allow",
            "allow_on_headers_stop_iteration": true
        }
    })
}

/// One connection that stays open.
#[derive(Debug)]
pub struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    /// Opens it, as a task of the current `LocalSet`.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self(handshake(stream).await?))
    }

    /// Downloads each, one after the other. Gives the bytes.
    ///
    /// # Errors
    /// Where one does not arrive whole.
    pub async fn download(&mut self, requests: &[Request]) -> io::Result<u64> {
        let mut bytes = 0;
        for request in requests {
            bytes += ask(&mut self.0, request).await?;
        }
        Ok(bytes)
    }
}

/// How long small requests wait, sorted, while another connection downloads one file again and again,
/// or while none does.
///
/// # Errors
/// Where a request fails.
pub async fn waits(
    to: SocketAddr,
    small: &Request,
    large: Option<&Request>,
    length: Duration,
) -> io::Result<Vec<Duration>> {
    let stop = Rc::new(Cell::new(false));
    let looping = match large {
        None => None,
        Some(large) => {
            let (mut client, large) = (Client::open(to).await?, [large.clone()]);
            let stop = Rc::clone(&stop);
            Some(spawn_local(async move {
                while !stop.get() {
                    client.download(&large).await?;
                }
                io::Result::Ok(())
            }))
        }
    };
    let mut client = Client::open(to).await?;
    let small = [small.clone()];
    let (began, mut waits) = (Instant::now(), Vec::new());
    while began.elapsed() < length {
        let asked = Instant::now();
        client.download(&small).await?;
        waits.push(asked.elapsed());
        sleep(REST).await;
    }
    stop.set(true);
    if let Some(looping) = looping {
        looping.await.map_err(io::Error::other)??;
    }
    waits.sort_unstable();
    Ok(waits)
}

/// The wait that so many of a hundred do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}
