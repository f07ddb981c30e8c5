//! The command `modgate`.
fn main() {}
