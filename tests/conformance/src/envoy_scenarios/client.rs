//! Clients that send what a scenario says, each request as a stream of the connection to its worker.
//!
//! Envoy's exact balance gives a new connection to the worker that has the fewest. So as many connections
//! as workers, opened one after the other, go to all of them; which of them is called 0 is no matter.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_scenario::{ClientSeen, Outcome, Request, Scenario};
use h2::client::{ResponseFuture, SendRequest};
use tokio::net::TcpStream;

use super::wire::{self, WINDOW, lock, with_pseudo};

/// How long a client that is to wait for ever is watched.
const FOR_EVER: Duration = Duration::from_secs(2);

type Seen = Arc<Mutex<ClientSeen>>;

/// Sends all requests of a scenario, and says what came of them, in their order.
///
/// # Panics
/// Where there is no connection.
pub async fn all(scenario: &Scenario, address: SocketAddr) -> Vec<ClientSeen> {
    let mut workers = Vec::new();
    for _ in 0..scenario.filter.workers {
        workers.push(connect(address).await);
    }
    let mut clients = Vec::new();
    for (i, request) in scenario.requests.iter().enumerate() {
        let seen = Seen::default();
        let (sender, request) = (workers[request.worker].clone(), request.clone());
        let outcome = request.expect.outcome;
        let task = tokio::spawn(client(sender, request, i + 1, seen.clone()));
        clients.push((outcome, task, seen));
    }
    let end = tokio::time::Instant::now() + scenario.until.0;
    for (_, task, _) in clients.iter_mut().filter(|(o, ..)| *o != Outcome::Pending) {
        let _ = tokio::time::timeout_at(end, task).await;
    }
    let waiting = clients.iter_mut().filter(|(o, ..)| *o == Outcome::Pending);
    let watched = tokio::time::Instant::now() + FOR_EVER;
    for (_, task, _) in waiting {
        let _ = tokio::time::timeout_at(watched.min(end), task).await;
    }
    let seen = clients.into_iter().map(|(.., seen)| lock(&seen).clone());
    seen.collect()
}

/// A connection that Envoy has taken.
async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.unwrap_or_else(|e| panic!("no connection to Envoy: {e}"));
    let handshake = h2::client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(stream);
    let (sender, mut connection) = handshake.await.unwrap_or_else(|e| panic!("no HTTP/2: {e}"));
    let mut pings = connection.ping_pong();
    tokio::spawn(connection);
    // An answer comes from the worker that has it.
    if let Some(pings) = &mut pings {
        let answer = pings.ping(h2::Ping::opaque()).await;
        answer.unwrap_or_else(|e| panic!("no answer on a new connection: {e}"));
    }
    sender
}

async fn client(sender: SendRequest<Bytes>, request: Request, number: usize, seen: Seen) {
    tokio::time::sleep(request.at.0).await;
    let reading = async {
        let sent = send(sender, &request, number).await;
        let outcome = match sent {
            Some(response) => read(response, &seen).await.unwrap_or(Outcome::Reset),
            None => Outcome::Reset,
        };
        lock(&seen).outcome.get_or_insert(outcome);
    };
    let Some(after) = request.leaves else {
        return reading.await;
    };
    if tokio::time::timeout(after.0, reading).await.is_err() {
        lock(&seen).outcome.get_or_insert(Outcome::Left);
    }
}

/// The answer that will come; `None` where the connection takes no request.
async fn send(
    sender: SendRequest<Bytes>,
    request: &Request,
    number: usize,
) -> Option<ResponseFuture> {
    let (headers, end, steps) = request.message(number);
    let uri = format!("http://{}{}", request.authority, request.path);
    let mut message = http_status::Request::builder()
        .method(request.method.as_str())
        .uri(uri)
        .body(())
        .unwrap_or_else(|e| panic!("{} {}: {e}", request.method, request.path));
    *message.headers_mut() = wire::map(&headers);
    // The proxy says this itself.
    message.headers_mut().remove("x-forwarded-proto");
    let mut sender = sender.ready().await.ok()?;
    let (response, mut stream) = sender.send_request(message, end).ok()?;
    // What the proxy does not want to read any more is its own affair.
    tokio::spawn(async move { wire::send(&mut stream, steps).await });
    Some(response)
}

async fn read(response: ResponseFuture, seen: &Seen) -> Result<Outcome, h2::Error> {
    let (head, body) = response.await?.into_parts();
    let status = head.status.as_u16().to_string();
    lock(seen).headers = Some(with_pseudo([(":status", status)], &head.headers));
    let trailers = wire::read(body, |data| lock(seen).body.push(data)).await?;
    lock(seen).trailers = trailers;
    Ok(Outcome::Complete)
}
