//! Requests as bytes, so that nothing tidies them up on the way.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers as they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: String,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Asks with GET; `path` goes out byte for byte.
///
/// # Panics
/// Where no answer comes.
pub fn get(address: SocketAddr, path: &str) -> Response {
    request(address, "GET", path, &[])
}

/// Asks with GET; `None` where no answer comes.
pub fn try_get(address: SocketAddr, path: &str) -> Option<Response> {
    try_request(address, "GET", path, &[]).ok()
}

/// Asks with any method, path and headers.
///
/// # Panics
/// Where no answer comes.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    try_request(address, method, path, headers)
        .unwrap_or_else(|error| panic!("{method} {path} to {address}: {error}"))
}

/// Asks with any method, path and headers.
///
/// # Errors
/// Where the connection fails or what comes is no HTTP/1.1 answer.
pub fn try_request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> io::Result<Response> {
    let text = head(method, path, headers);
    raw(address, text.as_bytes(), method == "HEAD")
}

/// A request's head, for a connection that ends with the answer.
pub fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: goproxy.test\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "connection: close\r\n\r\n"
}

/// Sends bytes and reads the one answer that comes.
///
/// # Errors
/// Where the connection fails or what comes is no HTTP/1.1 answer.
pub fn raw(address: SocketAddr, bytes: &[u8], is_head: bool) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    exchange(&mut stream, bytes, is_head)
}

/// Sends bytes on any stream and reads the one answer that comes, until the stream ends.
///
/// # Errors
/// Where the stream fails or what comes is no HTTP/1.1 answer.
pub fn exchange(
    stream: &mut (impl Read + Write),
    bytes: &[u8],
    is_head: bool,
) -> io::Result<Response> {
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // Envoy ends TLS without saying so.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !answer.is_empty() => {}
        result => _ = result?,
    }
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| bad("no end of headers"))?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| bad("no status line"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &answer[end + 4..];
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = match (is_head, is_chunked) {
        (true, _) => Vec::new(),
        (false, true) => unchunk(body).ok_or_else(|| bad("a body that breaks off"))?,
        (false, false) => body.to_vec(),
    };
    Ok(Response {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
