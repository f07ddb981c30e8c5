//! A backend that closes the connections that it keeps just as they are used again, without an answer: what
//! happens wherever its patience is shorter than the proxy's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The running backend; it serves the files of a folder.
#[derive(Debug)]
pub struct Closing {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    files: PathBuf,
    /// The requests that a connection answers before it is closed under the next one.
    each: usize,
    answered: AtomicUsize,
    closed: AtomicUsize,
}

impl Closing {
    /// Starts it. Each connection answers so many requests.
    ///
    /// # Panics
    /// Where it cannot listen.
    pub fn start(files: PathBuf, each: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = listener.unwrap_or_else(|e| panic!("no free port: {e}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|e| panic!("no address: {e}"));
        let state = Arc::new(State {
            files,
            each,
            answered: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away ends its connection, and nothing else.
                std::thread::spawn(move || _ = state.serve(stream));
            }
        });
        Self { address, state }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it has answered.
    pub fn answered(&self) -> usize {
        self.state.answered.load(Ordering::SeqCst)
    }

    /// How many requests it has closed a connection under.
    pub fn closed(&self) -> usize {
        self.state.closed.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        for _ in 0..self.each {
            let Some(path) = request(&mut stream)? else {
                return Ok(());
            };
            let file = self.files.join(path.trim_start_matches('/'));
            self.answered.fetch_add(1, Ordering::SeqCst);
            match std::fs::read(file) {
                Ok(body) => {
                    let kind = match path.ends_with(".info") {
                        true => "application/json",
                        false => "text/plain; charset=utf-8",
                    };
                    write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    )?;
                    stream.write_all(&body)?;
                }
                Err(_) => stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nnot found\n",
                )?,
            }
        }
        if request(&mut stream)?.is_some() {
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// The path of the next request, which has no body; `None` where the client has closed.
fn request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.split(' ').nth(1).map(ToOwned::to_owned))
}
