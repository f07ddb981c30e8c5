//! A Go proxy with a cache that the test directs: it says of each answer whether it was a hit, and it can
//! be made to fail.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modgate_harness::chunked::requested;

/// The running server. Its threads end with their connections.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    is_down: Arc<AtomicBool>,
}

impl Backend {
    /// Serves a folder. Modules with `cold` in their path are never in its cache, all others always.
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_down = Arc::new(AtomicBool::new(false));
        let (folder, down) = (folder.to_owned(), Arc::clone(&is_down));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, down) = (folder.clone(), Arc::clone(&down));
                std::thread::spawn(move || serve(stream, &folder, &down));
            }
        });
        Self { address, is_down }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it answers 503 to everything, or no longer.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }
}

fn serve(mut stream: TcpStream, folder: &Path, down: &AtomicBool) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(path) = requested(&mut reader)? {
        // It is no checksum database, and says so as one that is away.
        let is_down = down.load(Ordering::Relaxed) || path.starts_with("lookup");
        if is_down {
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        let Ok(content) = std::fs::read(folder.join(&path)) else {
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        };
        let is_cold = path.to_string_lossy().contains("cold");
        let cache = if is_cold { "MISS" } else { "HIT" };
        let length = content.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nx-cache: {cache}\r\ncontent-length: {length}\r\n\r\n");
        // At once, or the second part waits for the first one to be confirmed.
        stream.write_all(&[head.as_bytes(), &content].concat())?;
    }
    Ok(())
}
