//! A document becomes a policy. No host, no I/O, no clock, no `unsafe`.
//!
//! Layers, lowest first: document, pattern, model, compile, tools.
//!
//! - [`document`]: the document as it is written, and what is wrong with its shape.
//! - [`pattern`]: patterns of module paths.
//! - [`model`]: what decides on requests.
//! - [`compile`]: from the one to the other, and what is wrong with its meaning.
//! - [`tools`]: what a policy probably does not mean, and why it decides as it does.

#![forbid(unsafe_code)]

pub mod compile;
pub mod document;
pub mod model;
pub mod pattern;
pub mod tools;
