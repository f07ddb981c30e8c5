//! What the fuzz targets share. Each target in `targets/` reads an input, asks the engine, and holds
//! what the engine says against properties that must hold whatever the input is.
//!
//! In reading order:
//!
//! - [`budget`]: how long one input may take.
//! - [`asked`]: an input as a request, with what a host would have verified of its sender.
//! - [`fixed`]: the policy that requests are judged by, and what it means in plain words.
//! - [`upstream`]: how a Go proxy reads the path that it gets.
//! - [`database`]: a checksum database that is honest.

pub mod asked;
pub mod budget;
pub mod database;
pub mod fixed;
pub mod upstream;
