//! A backend that answers everything and keeps the bytes of every request's head.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The running backend. Its threads end with their connections.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// Where there is none.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Ok(Self { address, heads })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads that came since the last call.
    pub fn take(&self) -> Vec<Vec<u8>> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut heads)
    }
}

/// Reads heads; a body that holds anything is kept like a head, and so noticed.
fn serve(mut stream: TcpStream, heads: &Mutex<Vec<Vec<u8>>>) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let head = take_until(&mut stream, &mut bytes, b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let body = if text.contains("transfer-encoding: chunked") {
            take_until(&mut stream, &mut bytes, b"0\r\n\r\n")?
        } else {
            Vec::new()
        };
        let answer = if head.starts_with(b"HEAD ") {
            ""
        } else {
            "v0.14.0\n"
        };
        let mut kept = heads.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(head);
        if !matches!(body.as_slice(), b"" | b"0\r\n\r\n") {
            kept.push(body);
        }
        drop(kept);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\n{answer}"
        );
        stream.write_all(answer.as_bytes())?;
    }
}

/// Takes what there is up to this end, with it, and reads until it is there.
fn take_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, end: &[u8]) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 16_384];
    loop {
        if let Some(at) = bytes.windows(end.len()).position(|window| window == end) {
            let rest = bytes.split_off(at + end.len());
            return Ok(std::mem::replace(bytes, rest));
        }
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..n]);
    }
}
