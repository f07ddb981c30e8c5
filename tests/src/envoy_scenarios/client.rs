//! Clients that send what a scenario says, each request as a stream of one connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use host_sim::http::Headers;
use host_sim::sim::{ClientSeen, Outcome, Pairs, Request, Scenario};
use http_status::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpStream;

/// How long a client that is to wait for ever is watched.
const FOR_EVER: Duration = Duration::from_secs(2);

type Seen = Arc<Mutex<ClientSeen>>;

/// Sends all requests of a scenario, and says what came of them, in their order.
///
/// # Panics
/// Where there is no connection.
pub async fn all(scenario: &Scenario, address: SocketAddr) -> Vec<ClientSeen> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.unwrap_or_else(|e| panic!("no connection to Envoy: {e}"));
    let handshake = h2::client::Builder::new()
        .initial_window_size(1 << 24)
        .initial_connection_window_size(1 << 24)
        .handshake(stream);
    let (sender, connection) = handshake.await.unwrap_or_else(|e| panic!("no HTTP/2: {e}"));
    tokio::spawn(connection);
    let mut clients = Vec::new();
    for (i, request) in scenario.requests.iter().enumerate() {
        let mut request = request.clone();
        // Or every run would have others.
        let id = format!("00000000-0000-4000-8000-{:012}", i + 1);
        request.headers.0.push(("x-request-id".to_owned(), id));
        let outcome = request.expect.outcome;
        let seen = Seen::default();
        let task = tokio::spawn(client(sender.clone(), request, seen.clone()));
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
    let seen = |seen: Seen| seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    clients.into_iter().map(|(.., of)| seen(of)).collect()
}

async fn client(sender: SendRequest<Bytes>, request: Request, seen: Seen) {
    tokio::time::sleep(request.at.0).await;
    let Ok(mut sender) = sender.ready().await else {
        return ends(&seen, Outcome::Reset);
    };
    let bare = request.body.0.is_empty() && request.trailers.0.is_empty() && !request.late_end;
    let Ok((response, stream)) = sender.send_request(message(&request), bare) else {
        return ends(&seen, Outcome::Reset);
    };
    let leaves = request.leaves;
    let sending = tokio::spawn(async move {
        // What the proxy does not want to read any more is its own affair.
        let _ = send(stream, &request, bare).await;
    });
    let reading = read(response, &seen);
    match leaves {
        None => reading.await,
        Some(after) => {
            let left = tokio::time::timeout(after.0, reading).await.is_err();
            if left {
                sending.abort();
                ends(&seen, Outcome::Left);
            }
        }
    }
}

fn ends(seen: &Seen, outcome: Outcome) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.outcome.get_or_insert(outcome);
}

fn message(request: &Request) -> http_status::Request<()> {
    let uri = format!("http://{}{}", request.authority, request.path);
    let mut message = http_status::Request::builder()
        .method(request.method.as_str())
        .uri(uri)
        .body(())
        .unwrap_or_else(|e| panic!("{} {}: {e}", request.method, request.path));
    *message.headers_mut() = map(&request.headers);
    message
}

async fn send(
    mut stream: SendStream<Bytes>,
    request: &Request,
    bare: bool,
) -> Result<(), h2::Error> {
    if bare {
        return Ok(());
    }
    let ends_itself = request.trailers.0.is_empty() && !request.late_end;
    for (i, chunk) in request.body.0.iter().enumerate() {
        tokio::time::sleep(chunk.after).await;
        let last = i + 1 == request.body.0.len();
        stream.send_data(chunk.data.clone(), last && ends_itself)?;
    }
    if !request.trailers.0.is_empty() {
        stream.send_trailers(map(&request.trailers))?;
    } else if request.late_end {
        // Or it would come with the last chunk, in one packet.
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.send_data(Bytes::new(), true)?;
    }
    Ok(())
}

async fn read(response: ResponseFuture, seen: &Seen) {
    let outcome = match response.await {
        Err(_) => Outcome::Reset,
        Ok(response) => {
            let (head, body) = response.into_parts();
            let mut headers = Headers::from_pairs([(":status", head.status.as_u16().to_string())]);
            for (name, value) in pairs(&head.headers) {
                headers.add(name, value);
            }
            seen.lock().unwrap_or_else(PoisonError::into_inner).headers = Some(headers);
            match read_body(body, seen).await {
                Ok(()) => Outcome::Complete,
                Err(_) => Outcome::Reset,
            }
        }
    };
    ends(seen, outcome);
}

async fn read_body(mut body: RecvStream, seen: &Seen) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.body.push(data);
    }
    let trailers = body.trailers().await?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.trailers = trailers.map(|map| Headers::from_pairs(pairs(&map)));
    Ok(())
}

/// Names and values in their order.
pub(super) fn pairs(map: &HeaderMap) -> Vec<(String, Bytes)> {
    let pairs = map.iter();
    pairs
        .map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())))
        .collect()
}

/// The same the other way round.
pub(super) fn map(pairs: &Pairs) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &pairs.0 {
        let name =
            HeaderName::from_bytes(name.as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let value = HeaderValue::from_str(value).unwrap_or_else(|e| panic!("{value}: {e}"));
        map.append(name, value);
    }
    map
}
