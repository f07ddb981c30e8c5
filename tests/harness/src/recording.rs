//! A backend that answers as a test says, and keeps what it was asked, header by header.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The target, byte for byte.
    pub path: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Requested {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What stands behind the path's last slash.
    pub fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, but for the body's length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A text with a status.
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Answering = dyn Fn(&Requested) -> Answer + Send + Sync;

/// The running backend. Its threads end with their connections.
#[derive(Debug)]
pub struct Recording {
    address: SocketAddr,
    requested: Arc<Mutex<Vec<Requested>>>,
}

impl Recording {
    /// Answers so.
    ///
    /// # Panics
    /// Where there is no port.
    pub fn start(answer: impl Fn(&Requested) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("no port: {e}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|e| panic!("no address: {e}"));
        let requested = Arc::new(Mutex::new(Vec::new()));
        let (answer, recorded): (Arc<Answering>, _) = (Arc::new(answer), Arc::clone(&requested));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, recorded) = (Arc::clone(&answer), Arc::clone(&recorded));
                // A connection that breaks is the client's business.
                std::thread::spawn(move || _ = serve(stream, &*answer, &recorded));
            }
        });
        Self { address, requested }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked since this was called last.
    pub fn requested(&self) -> Vec<Requested> {
        std::mem::take(&mut *lock(&self.requested))
    }
}

fn lock(requested: &Mutex<Vec<Requested>>) -> MutexGuard<'_, Vec<Requested>> {
    requested.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut stream: TcpStream,
    answer: &Answering,
    recorded: &Mutex<Vec<Requested>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(requested) = request(&mut reader)? {
        let answer = answer(&requested);
        lock(recorded).push(requested);
        let mut bytes = format!("HTTP/1.1 {} Because\r\n", answer.status);
        for (name, value) in &answer.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
        stream.write_all(&[bytes.as_bytes(), &answer.body].concat())?;
    }
    Ok(())
}

/// The next request; `None` where the client has gone.
fn request(reader: &mut impl BufRead) -> io::Result<Option<Requested>> {
    let mut lines = reader.lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            return Ok(Some(Requested { path, headers }));
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(None)
}
