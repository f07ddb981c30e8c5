//! Upstreams that do what a scenario says.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use host_sim::http::{Body, Headers};
use host_sim::sim::{Behaviour, Ending, Fault, UpstreamSeen, Upstreams};
use http_status::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::client::pairs;

/// What was written before a fault has this long to get out.
const FLUSH: Duration = Duration::from_millis(100);

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

    fn begins(&self, cluster: &str, headers: Headers) -> (usize, Option<Behaviour>) {
        let behaviour = lock(&self.upstreams).choose(cluster, &headers);
        if behaviour.is_none() {
            lock(&self.unanswered).push(format!("{cluster}: {headers:?}"));
        }
        let mut seen = lock(&self.seen);
        seen.push(UpstreamSeen {
            cluster: cluster.to_owned(),
            // Envoy gives every request of a client an id, and no other.
            callout: headers.get("x-request-id").is_none(),
            headers,
            body: Body::new(),
            trailers: None,
            ending: Ending::Pending,
        });
        (seen.len() - 1, behaviour)
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut UpstreamSeen)) {
        if let Some(seen) = lock(&self.seen).get_mut(number) {
            change(seen);
        }
    }

    fn ends(&self, number: usize, ending: Ending) {
        self.change(number, |seen| seen.ending = ending);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        .initial_window_size(1 << 24)
        .initial_connection_window_size(1 << 24)
        .handshake::<_, Bytes>(stream)
        .await
        .ok()?;
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (cluster, script, wire) = (cluster.clone(), script.clone(), wire.clone());
        tokio::spawn(async move {
            script.open.fetch_add(1, Ordering::Relaxed);
            let (number, behaviour) = script.begins(&cluster, headers(&request));
            let exchange = Exchange {
                number,
                script,
                wire,
            };
            let Some(behaviour) = behaviour else {
                exchange.no_behaviour(respond);
                return;
            };
            if exchange.run(request, respond, behaviour).await.is_none() {
                exchange.script.ends(number, Ending::Cancelled);
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
    let mut all = Headers::from_pairs([
        (":authority", authority.to_owned()),
        (":path", path.to_owned()),
        (":method", request.method().to_string()),
        (":scheme", uri.scheme_str().unwrap_or_default().to_owned()),
    ]);
    for (name, value) in pairs(request.headers()) {
        all.add(name, value);
    }
    all
}

/// A request that has come.
struct Exchange {
    number: usize,
    script: Arc<Script>,
    wire: Arc<std::net::TcpStream>,
}

impl Exchange {
    fn no_behaviour(&self, mut respond: SendResponse<Bytes>) {
        let mut response = Response::new(());
        *response.status_mut() = http_status::StatusCode::NOT_IMPLEMENTED;
        // The scenario fails by what is unanswered, whatever becomes of this.
        let _ = respond.send_response(response, true);
    }

    /// `None` where the proxy gave it up.
    async fn run(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        behaviour: Behaviour,
    ) -> Option<()> {
        let head = request.method() == "HEAD";
        let body = request.into_body();
        if behaviour.early {
            let exchange = Self {
                number: self.number,
                script: self.script.clone(),
                wire: self.wire.clone(),
            };
            tokio::spawn(async move {
                if exchange.read(body).await.is_none() {
                    exchange.script.ends(exchange.number, Ending::Cancelled);
                }
            });
        } else {
            self.read(body).await?;
        }
        if behaviour.fault != Some(Fault::TimedOut) {
            tokio::select! {
                _ = poll_fn(|cx| respond.poll_reset(cx)) => return None,
                () = tokio::time::sleep(behaviour.after.0) => {}
            }
        }
        if let Some(fault) = behaviour.fault {
            match self.wire_fault(fault) {
                Some(()) => {}
                None if fault == Fault::Reset => respond.send_reset(Reason::INTERNAL_ERROR),
                // The proxy is who ends it, if anybody.
                None => {
                    let given_up = poll_fn(|cx| respond.poll_reset(cx)).await;
                    let timed_out = fault == Fault::TimedOut;
                    return (timed_out && given_up.is_ok()).then_some(());
                }
            }
            return Some(());
        }
        let mut response = Response::builder().status(behaviour.status);
        for (name, value) in &behaviour.headers.0 {
            response = response.header(name, value);
        }
        let response = response.body(()).unwrap_or_else(|e| panic!("{e}"));
        let whole = behaviour.body.0.is_empty()
            && behaviour.trailers.0.is_empty()
            && !behaviour.late_end
            && behaviour.breaks.is_none();
        let stream = respond.send_response(response, head || whole).ok()?;
        if head || whole {
            return Some(());
        }
        self.answer(stream, &behaviour).await
    }

    async fn answer(&self, mut stream: SendStream<Bytes>, behaviour: &Behaviour) -> Option<()> {
        let ends_itself =
            behaviour.trailers.0.is_empty() && !behaviour.late_end && behaviour.breaks.is_none();
        for (i, chunk) in behaviour.body.0.iter().enumerate() {
            tokio::select! {
                _ = poll_fn(|cx| stream.poll_reset(cx)) => return None,
                () = tokio::time::sleep(chunk.after) => {}
            }
            let last = i + 1 == behaviour.body.0.len();
            stream
                .send_data(chunk.data.clone(), last && ends_itself)
                .ok()?;
        }
        if let Some(fault) = behaviour.breaks {
            tokio::time::sleep(FLUSH).await;
            match self.wire_fault(fault) {
                Some(()) => {}
                None if fault == Fault::Reset => stream.send_reset(Reason::INTERNAL_ERROR),
                None => {
                    let _ = poll_fn(|cx| stream.poll_reset(cx)).await;
                    return None;
                }
            }
        } else if !behaviour.trailers.0.is_empty() {
            stream
                .send_trailers(super::client::map(&behaviour.trailers))
                .ok()?;
        } else if behaviour.late_end {
            tokio::select! {
                _ = poll_fn(|cx| stream.poll_reset(cx)) => return None,
                () = tokio::time::sleep(FLUSH) => {}
            }
            stream.send_data(Bytes::new(), true).ok()?;
        }
        Some(())
    }

    /// Faults of the connection.
    fn wire_fault(&self, fault: Fault) -> Option<()> {
        let mut wire = self.wire.as_ref();
        if fault == Fault::Garbled {
            // No frame is that long.
            wire.write_all(&[0xff; 64]).ok()?;
            return Some(());
        }
        (fault == Fault::Closed).then(|| _ = wire.shutdown(Shutdown::Both))
    }

    /// Reads the whole request; `None` where it breaks off.
    async fn read(&self, mut body: RecvStream) -> Option<()> {
        while let Some(data) = body.data().await {
            let data = data.ok()?;
            body.flow_control().release_capacity(data.len()).ok()?;
            self.script.change(self.number, |seen| seen.body.push(data));
        }
        let trailers = body.trailers().await.ok()?;
        self.script.change(self.number, |seen| {
            seen.trailers = trailers.map(|map| Headers::from_pairs(pairs(&map)));
            seen.ending = Ending::Complete;
        });
        Some(())
    }
}
