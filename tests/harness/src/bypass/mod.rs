//! The bypass corpus: requests of people who want to get around the filter, as raw bytes.
//!
//! In reading order: [`case`] reads the files, [`h2`] speaks HTTP/2 without the care of a library,
//! [`client`] sends a case, [`recorder`] is the backend that keeps every byte.

pub mod case;
pub mod client;
pub mod h2;
pub mod recorder;
