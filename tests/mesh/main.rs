//! What `modgate deploy` writes, on a real mesh. `scripts/test-mesh` runs it: its programs take long to build.

mod alerts;
mod changes;
mod gateway;
mod pages;
mod sidecar;
mod support;
