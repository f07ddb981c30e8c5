//! Contexts: what a VM knows of each plugin and of each stream.

mod half;
mod info;
mod root;
mod stream;

pub(crate) use half::{Half, Iteration};
pub(crate) use info::{Flags, StreamInfo};
pub use root::PluginConfig;
pub(crate) use root::{Root, Tick};
pub(crate) use stream::Stream;
pub use stream::{Downstream, PeerCertificate, Protocol, Tls};
