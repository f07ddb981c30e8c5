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

/// Reads heads and nothing else: bodies that come with them are read as heads too, and so seen.
fn serve(mut stream: TcpStream, heads: &Mutex<Vec<Vec<u8>>>) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16_384];
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..n]);
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = std::mem::replace(&mut bytes, rest);
            let is_head = head.starts_with(b"HEAD ");
            // A proxy sends a body only with one of these; it has to be read to find the next head.
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok());
            heads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(head);
            if let Some(length) = length {
                bytes.drain(..length.min(bytes.len()));
            }
            let body = if is_head { "" } else { "v0.14.0\n" };
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes())?;
        }
    }
}
