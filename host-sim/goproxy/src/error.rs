//! What can go wrong with a generated proxy, each in one sentence.

use std::{io, net::SocketAddr, path::PathBuf};

/// A module that cannot be written, a server that cannot start, a `go` that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A module's path is none that Go accepts.
    #[error("`{path}` is not a valid module path: {reason}")]
    Path {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A version is no canonical version.
    #[error("`{version}` of {module} is not a valid version, write it as in v1.2.3: {reason}")]
    Version {
        /// The module's path.
        module: String,
        /// The version as it was given.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The same version was given twice.
    #[error("{module}@{version} is given twice")]
    Twice {
        /// The module's path.
        module: String,
        /// The version.
        version: String,
    },
    /// A module's zip could not be made.
    #[error("cannot build the zip of {module}: {source}")]
    Archive {
        /// `path@version`.
        module: String,
        /// What the zip library says.
        source: zip::result::ZipError,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Files {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The server's address could not be taken.
    #[error("cannot listen on {address}: {source}; free the port or choose another")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The server has no event loop or no thread.
    #[error("cannot start the server of {}: {source}", root.display())]
    System {
        /// The folder that it would have served.
        root: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no `go`.
    #[error("no `go` command: looked at {looked}; run `make setup`, or install Go 1.21 or newer")]
    NoGo {
        /// The places, as one list.
        looked: String,
    },
    /// `go` could not be started.
    #[error("cannot run {}: {source}", program.display())]
    RunGo {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err` of file operations.
    pub(crate) fn files(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Files {
            action,
            path,
            source,
        }
    }
}
