//! Upstreams that do what a scenario says.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::http::{Body, Headers};
use envoy_wasm_scenario::{Behaviour, Ending, Fault, Step, UpstreamSeen, Upstreams};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http_status::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::bootstrap::ROUTED;
use super::wire::{self, Sent, WINDOW, lock, with_pseudo};

/// How long an upstream that says nothing is watched for what the proxy does.
const SILENCE: Duration = Duration::from_secs(2);

/// What upstreams are to do, and what they got.
#[derive(Debug)]
pub struct Script {
    upstreams: Mutex<Upstreams>,
    seen: Mutex<Vec<UpstreamSeen>>,
    unanswered: Mutex<Vec<String>>,
    /// Exchanges that are not over.
    open: AtomicUsize,
}

impl Script {
    /// Nothing has come yet.
    pub fn new(clusters: &BTreeMap<String, Vec<Behaviour>>) -> Self {
        Self {
            upstreams: Mutex::new(Upstreams::new(clusters)),
            seen: Mutex::default(),
            unanswered: Mutex::default(),
            open: AtomicUsize::new(0),
        }
    }

    /// Every request in the order of their headers, and those that no behaviour fits.
    pub fn seen(&self) -> (Vec<UpstreamSeen>, Vec<String>) {
        (lock(&self.seen).clone(), lock(&self.unanswered).clone())
    }

    /// Waits for what is still to come of exchanges once all clients are through; for silent ones no
    /// longer than two seconds.
    pub async fn settle(&self) {
        let start = tokio::time::Instant::now();
        while self.open.load(Ordering::Relaxed) > 0 && start.elapsed() < SILENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn begins(&self, cluster: &str, mut headers: Headers) -> (usize, Option<Behaviour>) {
        let callout = headers.get(ROUTED).is_none();
        headers.remove(ROUTED);
        let behaviour = lock(&self.upstreams).choose(cluster, &headers);
        if behaviour.is_none() {
            lock(&self.unanswered).push(format!("{cluster}: {headers:?}"));
        }
        let mut seen = lock(&self.seen);
        seen.push(UpstreamSeen {
            cluster: cluster.to_owned(),
            callout,
            headers,
            body: Body::new(),
            trailers: None,
            ending: Ending::Pending,
            refused: false,
        });
        (seen.len() - 1, behaviour)
    }
}

/// Begins to listen for a cluster.
///
/// # Panics
/// Where there is no port.
pub async fn listen(cluster: String, script: Arc<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.unwrap_or_else(|e| panic!("no free port: {e}"));
    let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, cluster.clone(), script.clone()));
        }
    });
    address
}

async fn serve(stream: TcpStream, cluster: String, script: Arc<Script>) -> Option<()> {
    // A second hand on the wire, for what HTTP/2 would never do.
    let stream = stream.into_std().ok()?;
    let wire = Arc::new(stream.try_clone().ok()?);
    let stream = TcpStream::from_std(stream).ok()?;
    let mut connection = h2::server::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake::<_, Bytes>(stream)
        .await
        .ok()?;
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (cluster, script, wire) = (cluster.clone(), script.clone(), wire.clone());
        tokio::spawn(async move {
            let (number, behaviour) = script.begins(&cluster, headers(&request));
            // Without a behaviour the scenario fails by what is unanswered; Envoy sees a reset.
            let Some(behaviour) = behaviour else {
                return;
            };
            script.open.fetch_add(1, Ordering::Relaxed);
            let exchange = Exchange {
                number,
                script,
                wire,
            };
            if exchange.run(request, respond, &behaviour).await.is_none() {
                exchange.ends(Ending::Cancelled);
            }
            exchange.script.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
    Some(())
}

fn headers(request: &Request<RecvStream>) -> Headers {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let pseudo = [
        (":authority", authority.to_owned()),
        (":path", path.to_owned()),
        (":method", request.method().to_string()),
        (":scheme", uri.scheme_str().unwrap_or_default().to_owned()),
    ];
    with_pseudo(pseudo, request.headers())
}

/// A request that has come.
#[derive(Clone)]
struct Exchange {
    number: usize,
    script: Arc<Script>,
    wire: Arc<std::net::TcpStream>,
}

impl Exchange {
    /// `None` where the proxy gave it up.
    async fn run(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        behaviour: &Behaviour,
    ) -> Option<()> {
        let head = request.method() == "HEAD";
        let body = request.into_body();
        if behaviour.early {
            let exchange = self.clone();
            tokio::spawn(async move {
                if exchange.read(body).await.is_none() {
                    exchange.ends(Ending::Cancelled);
                }
            });
        } else {
            self.read(body).await?;
        }
        let mut steps = behaviour.steps(head);
        let first = steps.pop_front();
        if let Some((after, _)) = &first
            && behaviour.fault != Some(Fault::TimedOut)
        {
            tokio::select! {
                _ = poll_fn(|cx| respond.poll_reset(cx)) => return None,
                () = tokio::time::sleep(*after) => {}
            }
        }
        let Some((_, Step::Headers(headers, end))) = first else {
            return self.fails_at_once(respond, behaviour.fault?).await;
        };
        let mut response = Response::new(());
        *response.status_mut() = http_status::StatusCode::from_u16(behaviour.status).ok()?;
        *response.headers_mut() = wire::map(&headers);
        let mut stream = respond.send_response(response, end).ok()?;
        match wire::send(&mut stream, steps).await {
            Sent::Unwanted => None,
            Sent::UntilFault => self.breaks(stream, behaviour.breaks?).await,
            // Silence is no step.
            Sent::All if behaviour.breaks.is_some() => self.breaks(stream, Fault::Silent).await,
            Sent::All => Some(()),
        }
    }

    async fn fails_at_once(&self, mut respond: SendResponse<Bytes>, fault: Fault) -> Option<()> {
        if self.wire_fails(fault) {
            return Some(());
        }
        if fault == Fault::Reset {
            respond.send_reset(Reason::INTERNAL_ERROR);
            return Some(());
        }
        // The proxy is who ends it, if anybody; a time-out is its right.
        let given_up = poll_fn(|cx| respond.poll_reset(cx)).await;
        (fault == Fault::TimedOut && given_up.is_ok()).then_some(())
    }

    async fn breaks(&self, mut stream: SendStream<Bytes>, fault: Fault) -> Option<()> {
        if self.wire_fails(fault) {
            return Some(());
        }
        if fault == Fault::Reset {
            stream.send_reset(Reason::INTERNAL_ERROR);
            return Some(());
        }
        let _ = poll_fn(|cx| stream.poll_reset(cx)).await;
        None
    }

    /// Faults of the connection; whether it was one.
    fn wire_fails(&self, fault: Fault) -> bool {
        let mut wire = self.wire.as_ref();
        // One that is gone already is as broken as it can be.
        match fault {
            // No frame is that long.
            Fault::Garbled => _ = wire.write_all(&[0xff; 64]),
            Fault::Closed => _ = wire.shutdown(Shutdown::Both),
            _ => return false,
        }
        true
    }

    /// Reads the whole request; `None` where it breaks off.
    async fn read(&self, body: RecvStream) -> Option<()> {
        let push = |data| self.change(|seen| seen.body.push(data));
        let trailers = wire::read(body, push).await.ok()?;
        self.change(|seen| {
            seen.trailers = trailers;
            seen.ending = Ending::Complete;
        });
        Some(())
    }

    fn ends(&self, ending: Ending) {
        self.change(|seen| seen.ending = ending);
    }

    fn change(&self, change: impl FnOnce(&mut UpstreamSeen)) {
        if let Some(seen) = lock(&self.script.seen).get_mut(self.number) {
            change(seen);
        }
    }
}
