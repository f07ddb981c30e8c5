//! From the path of a request to a file below the root, and to nothing else.

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The bytes of one piece of a file: small enough that larger zips come in several, and that a
/// file of any size takes no more memory than this.
const PIECE: u64 = 64 << 10;

/// A file that was found, opened, and its first piece, with which most files are at their end.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) first: Bytes,
    pub(super) rest: File,
    /// In bytes.
    pub(super) length: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) content_type: &'static str,
}

/// The path of a request, without its query, percent-decoded once; `None` where that is no UTF-8.
pub(super) fn decode(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// The file of a decoded path. `root` has no links in it.
pub(super) fn find(root: &Path, path: &str) -> Option<Found> {
    let file = locate(root, path)?.canonicalize().ok()?;
    if !file.starts_with(root) || !file.is_file() {
        return None;
    }
    let mut rest = File::open(&file).ok()?;
    let about = rest.metadata().ok()?;
    let modified = about.modified().ok();
    Some(Found {
        first: piece(&mut rest).ok()?,
        rest,
        length: about.len(),
        modified: modified.and_then(|time| time.try_into().ok()),
        content_type: content_type(&file),
    })
}

/// The next piece; empty at the end of the file.
pub(super) fn piece(file: &mut File) -> io::Result<Bytes> {
    let mut piece = Vec::new();
    file.take(PIECE).read_to_end(&mut piece)?;
    Ok(piece.into())
}

/// Where the file would be. Only plain names lead on from the root.
fn locate(root: &Path, path: &str) -> Option<PathBuf> {
    let mut file = root.to_owned();
    for name in path.strip_prefix('/')?.split('/') {
        if matches!(name, "" | "." | "..") || name.contains(['\\', '\0', ':']) {
            return None;
        }
        file.push(name);
    }
    Some(file)
}

fn content_type(file: &Path) -> &'static str {
    let name = file.file_name().unwrap_or_default();
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("info") => "application/json",
        Some("zip") => "application/zip",
        _ if name == "@latest" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(decode("/a%21b%252f").as_deref(), Some("/a!b%2f"));
        assert_eq!(decode("/%ff"), None);
    }

    #[test]
    fn nothing_outside_the_root_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("a/@v")).unwrap();
        fs::write(root.join("a/@v/list"), "v1.0.0\n").unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), root.join("link")).unwrap();
        let root = root.canonicalize().unwrap();
        assert_eq!(find(&root, "/a/@v/list").unwrap().first, "v1.0.0\n");
        for path in [
            "/../secret",
            "/a/../../secret",
            "/./a/@v/list",
            "//a/@v/list",
            "/a/@v/list/",
            "/a/@v",
            "/",
            "",
            "a/@v/list",
            "/link",
            "/..\\secret",
            "/a/@v/list\0",
        ] {
            assert!(find(&root, path).is_none(), "{path:?}");
        }
    }
}
