//! Closed-loop load: so many connections, each of which asks again as soon as it is answered.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_local};
use tokio_rustls::TlsConnector;

use super::workload::Request;

/// Connections to one side, kept open over all slices.
#[derive(Debug)]
pub struct Load {
    connections: Vec<SendRequest<Empty<Bytes>>>,
    requests: Rc<[Request]>,
    // Goes on where the last slice stopped, so that all requests are asked in the long run.
    next: Rc<Cell<usize>>,
}

/// What one slice came to.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The requests that were answered with 200.
    pub requests: u64,
    /// How long it took, from the first request to the last answer.
    pub took: Duration,
}

impl Load {
    /// Opens the connections, as tasks of the current `LocalSet`.
    ///
    /// # Errors
    /// Where one is refused.
    pub async fn open(
        to: SocketAddr,
        connections: usize,
        requests: &Rc<[Request]>,
        tls: Option<&(Arc<ClientConfig>, String)>,
    ) -> io::Result<Self> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            open.push(match tls {
                None => handshake(stream).await?,
                Some((config, name)) => {
                    let name = ServerName::try_from(name.clone()).map_err(io::Error::other)?;
                    let connector = TlsConnector::from(Arc::clone(config));
                    handshake(connector.connect(name, stream).await?).await?
                }
            });
        }
        Ok(Self {
            connections: open,
            requests: Rc::clone(requests),
            next: Rc::default(),
        })
    }

    /// Asks for so long.
    ///
    /// # Errors
    /// Where a connection breaks, or an answer is another than 200: what was measured then is
    /// something else.
    pub async fn slice(&mut self, length: Duration) -> io::Result<Answered> {
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for mut connection in self.connections.drain(..) {
            let requests = Rc::clone(&self.requests);
            let next = Rc::clone(&self.next);
            tasks.spawn_local(async move {
                let mut answered = 0;
                while began.elapsed() < length {
                    let number = next.replace(next.get().wrapping_add(1));
                    let request = &requests[number % requests.len()];
                    ask(&mut connection, request).await?;
                    answered += 1;
                }
                io::Result::Ok((connection, answered))
            });
        }
        let mut requests = 0;
        for finished in tasks.join_all().await {
            let (connection, answered) = finished?;
            self.connections.push(connection);
            requests += answered;
        }
        Ok(Answered {
            requests,
            took: began.elapsed(),
        })
    }
}

pub(super) async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
) -> io::Result<SendRequest<Empty<Bytes>>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    spawn_local(connection);
    Ok(sender)
}

/// Asks, and reads the answer to its end. Gives the bytes of its body.
pub(super) async fn ask(
    connection: &mut SendRequest<Empty<Bytes>>,
    request: &Request,
) -> io::Result<u64> {
    let mut builder = hyper::Request::get(&request.path).header(HOST, "goproxy.test");
    if let Some((name, value)) = &request.header {
        builder = builder.header(*name, value);
    }
    let asked = builder.body(Empty::new()).map_err(io::Error::other)?;
    connection.ready().await.map_err(io::Error::other)?;
    let mut answer = connection
        .send_request(asked)
        .await
        .map_err(io::Error::other)?;
    let mut bytes = 0;
    while let Some(frame) = answer.body_mut().frame().await {
        let frame = frame.map_err(io::Error::other)?;
        bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
    }
    if answer.status() != 200 {
        let status = answer.status();
        return Err(io::Error::other(format!(
            "{} was answered with {status}",
            request.path
        )));
    }
    Ok(bytes)
}
