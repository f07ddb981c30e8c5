//! A folder of files, served in chunks of HTTP/1.1 and, where it is wanted, with trailers behind them.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// The size of a chunk, in bytes.
const CHUNK: usize = 10_000;

/// The running server. Its threads end with their connections.
#[derive(Debug)]
pub struct Chunked {
    address: SocketAddr,
}

impl Chunked {
    /// Serves a folder.
    ///
    /// # Errors
    /// Where there is no port.
    pub fn start(folder: &Path, with_trailers: bool) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let folder = folder.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                std::thread::spawn(move || serve(stream, &folder, with_trailers));
            }
        });
        Ok(Self { address })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(mut stream: TcpStream, folder: &Path, with_trailers: bool) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(path) = requested(&mut reader)? {
        let Ok(content) = std::fs::read(folder.join(path)) else {
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        };
        let announced = if with_trailers {
            "trailer: x-sum\r\n"
        } else {
            ""
        };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\n{announced}transfer-encoding: chunked\r\n\r\n"
        )?;
        for chunk in content.chunks(CHUNK) {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        let trailer = if with_trailers { "x-sum: 1\r\n" } else { "" };
        write!(stream, "0\r\n{trailer}\r\n")?;
    }
    Ok(())
}

/// The file that a request's target names, below the root.
pub fn file(target: &str) -> PathBuf {
    // Go escapes the marks of upper case.
    PathBuf::from(target.trim_start_matches('/').replace("%21", "!"))
}

/// The path of the next request, below the root; `None` where the client has gone.
///
/// # Errors
/// What the reader says.
pub fn requested(reader: &mut impl BufRead) -> io::Result<Option<PathBuf>> {
    let mut path = None;
    for line in reader.lines() {
        let line = line?;
        if line.is_empty() {
            return Ok(path);
        }
        if path.is_none() {
            let target = line.split(' ').nth(1).unwrap_or_default();
            path = Some(file(target));
        }
    }
    Ok(None)
}
