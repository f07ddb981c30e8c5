//! Files that a user names, read whole: never more of them than fits, and nothing that is waited for where nobody can
//! interrupt.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// A regular file's bytes. All else is refused: opening a FIFO waits for somebody who writes, a device may have no end,
/// and neither can be read twice.
///
/// # Errors
/// What the system says, what the path is instead of a file, and a file of more than `most` bytes.
pub fn regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        let what = kind(&about);
        return Err(invalid(format!("it is {what} and not a regular file")));
    }
    limited(File::open(path)?, most)
}

/// The bytes of a file that is read once, by a command that Ctrl-C ends: a FIFO too, which is what a shell makes of
/// `<(command)`.
///
/// # Errors
/// As [`regular`], without its demand on the kind of file.
pub fn once(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    // What the system says of these is the number of an error.
    if about.is_dir() || kind(&about) == SOCKET {
        let what = kind(&about);
        return Err(invalid(format!("it is {what} and not a file")));
    }
    limited(File::open(path)?, most)
}

/// All bytes of an input that has an end within `most` bytes.
///
/// # Errors
/// What the reader says, and an input that goes on.
pub fn limited(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(invalid(format!("it has more than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

fn invalid(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

const SOCKET: &str = "a socket";

fn kind(about: &Metadata) -> &'static str {
    match about.file_type() {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => SOCKET,
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_what_has_an_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "1234").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let made = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
        assert!(made.success());
        let rows = [
            ("file", 4, "1234", "1234"),
            ("link", 4, "1234", "1234"),
            ("file", 3, "more than 0 MiB", "more than 0 MiB"),
            ("", 4, "a folder", "a folder"),
            ("socket", 4, "a socket", "a socket"),
            ("/dev/null", 4, "a device", ""),
            ("/dev/zero", 1 << 20, "a device", "more than 1 MiB"),
            ("none", 4, "No such file", "No such file"),
        ];
        table_rows::check(rows, |(name, most, regularly, in_passing)| {
            for (read, expected) in [
                (regular as fn(&Path, u64) -> _, regularly),
                (once, in_passing),
            ] {
                let text = match read(&at(name), most) {
                    Ok(bytes) => String::from_utf8(bytes).unwrap(),
                    Err(error) => error.to_string(),
                };
                let same = text == expected || (!expected.is_empty() && text.contains(expected));
                assert!(same, "{name}: {text}");
            }
        });
        let error = regular(&at("fifo"), 4).unwrap_err();
        assert!(error.to_string().contains("a FIFO"), "{error}");
        let writer = std::thread::spawn({
            let fifo = at("fifo");
            move || std::fs::write(fifo, "12")
        });
        assert_eq!(once(&at("fifo"), 4).unwrap(), b"12");
        writer.join().unwrap().unwrap();
    }
}
