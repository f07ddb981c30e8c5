//! Ports for programs that cannot choose one by themselves and say which.
//!
//! A port out of the system's own choice (`bind` to port 0, closed again) can be taken before the
//! program listens there: by the source port of any connection that another test makes. The ports
//! given out here lie below the range that Linux (32768) and macOS (49152) choose from, and no two
//! tests are given the same one, in one process or in several.

use std::fs::{File, create_dir_all};
use std::net::TcpListener;
use std::ops::Range;
use std::sync::Mutex;

/// Where ports are given out from. No program that the tests start listens here by default.
const PORTS: Range<u16> = 20_000..32_000;

/// The ports this process has been given: a lock on a file for each, kept until it ends.
static RESERVED: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 where nothing listens, for this process alone until it ends.
///
/// # Panics
/// Where no port is left, or the folder of the locks cannot be made.
pub fn free_port() -> u16 {
    let start = fastrand::u16(PORTS);
    (start..PORTS.end)
        .chain(PORTS.start..start)
        .find(|&port| reserve(port))
        .unwrap_or_else(|| panic!("no port of {PORTS:?} is free"))
}

/// Takes the port, if neither a test nor a program has it.
fn reserve(port: u16) -> bool {
    let dir = std::env::temp_dir().join("modgate-test-ports");
    create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    // A file that cannot be opened is another user's, and so is the port.
    let Ok(lock) = File::create(dir.join(port.to_string())) else {
        return false;
    };
    if lock.try_lock().is_err() || TcpListener::bind(("127.0.0.1", port)).is_err() {
        return false;
    }
    RESERVED
        .lock()
        .unwrap_or_else(|e| panic!("ports: {e}"))
        .push(lock);
    true
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_port_is_given_to_one_caller_and_lies_outside_the_systems_choice() {
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (0..50).map(|_| free_port()).collect::<Vec<_>>()))
            .collect();
        let given: Vec<u16> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let different: HashSet<_> = given.iter().collect();
        assert_eq!(different.len(), given.len());
        assert!(given.iter().all(|port| PORTS.contains(port)), "{given:?}");
        let chosen = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!PORTS.contains(&chosen.local_addr().unwrap().port()));
    }
}
