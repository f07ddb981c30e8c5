//! The files of the corpus: a head that says what is expected and why, and the bytes.

use std::fs;
use std::path::{Path, PathBuf};

/// One request, or several on one connection.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file below the corpus' folder.
    pub name: String,
    /// Why somebody would try it.
    pub about: String,
    /// Whose request it is.
    pub tenant: String,
    /// What may come of it in Envoy; any of these.
    pub envoy: Vec<Expected>,
    /// What may come of it in `modgate serve`.
    pub serve: Vec<Expected>,
    /// What is sent.
    pub request: Request,
}

/// Names and values, in their order.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// What is sent.
#[derive(Clone, Debug)]
pub enum Request {
    /// These bytes.
    Http1(Vec<u8>),
    /// One HTTP/2 request with these headers, in this order.
    Http2(Headers),
}

/// What may come of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An answer with this status that no backend gave.
    Status(u16),
    /// An answer with this status, whatever reached a backend before: the invariant judges that.
    Answered(u16),
    /// No answer: the connection is closed, or the stream reset.
    Closed,
    /// 200, and a backend got exactly this target.
    Forwarded(String),
}

/// All cases of a folder, by name.
///
/// # Panics
/// Where a file is not as it should be.
pub fn load(folder: &Path) -> Vec<Case> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let read = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = file.strip_prefix(folder).unwrap_or(file);
        let name = name.display().to_string();
        parse(&name, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "http" || e == "h2") {
            files.push(path);
        }
    }
}

fn parse(name: &str, bytes: &[u8]) -> Result<Case, String> {
    const END: &[u8] = b"\n---\n";
    let end = bytes.windows(END.len()).position(|window| window == END);
    let end = end.ok_or("there is no line of three dashes")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|e| e.to_string())?;
    let body = &bytes[end + END.len()..];
    let find = |key: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(known, value)| (known == key).then(|| value.to_owned()))
    };
    let expected = |key: &str| find(key).map(|text| expectations(&text)).transpose();
    let both = expected("expect")?;
    let of = |own: Option<Vec<Expected>>| own.or(both.clone()).ok_or("there is no expect: line");
    Ok(Case {
        name: name.to_owned(),
        about: find("about").ok_or("there is no about: line")?,
        tenant: find("tenant").unwrap_or_else(|| "web".to_owned()),
        envoy: of(expected("expect-envoy")?)?,
        serve: of(expected("expect-serve")?)?,
        request: if name.ends_with(".h2") {
            Request::Http2(headers(body)?)
        } else {
            Request::Http1(body.to_vec())
        },
    })
}

fn expectations(text: &str) -> Result<Vec<Expected>, String> {
    let one = |word: &str| match word.trim() {
        "close" => Ok(Expected::Closed),
        word => match word.strip_prefix("forward ") {
            Some(target) => Ok(Expected::Forwarded(target.to_owned())),
            None => status(word).ok_or_else(|| format!("{word:?} can not be expected")),
        },
    };
    text.split(',').map(one).collect()
}

fn status(word: &str) -> Option<Expected> {
    match word.strip_suffix('+') {
        Some(word) => word.parse().ok().map(Expected::Answered),
        None => word.parse().ok().map(Expected::Status),
    }
}

/// Lines `name: value`, in which `\xNN` is a byte.
fn headers(body: &[u8]) -> Result<Headers, String> {
    let text = std::str::from_utf8(body).map_err(|e| e.to_string())?;
    let line = |line: &str| {
        // A pseudo-header begins with a colon.
        let colon = line.get(1..).and_then(|rest| rest.find(": "));
        let colon = colon.ok_or_else(|| format!("{line:?} is no header"))? + 1;
        Ok((unescape(&line[..colon])?, unescape(&line[colon + 2..])?))
    };
    text.lines().map(line).collect()
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let hex = part.get(..2).ok_or("\\x without two digits")?;
        bytes.push(u8::from_str_radix(hex, 16).map_err(|e| e.to_string())?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Ok(bytes)
}
