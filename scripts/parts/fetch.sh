# The crates of Cargo.lock, so that what is built later needs no network.
# shellcheck shell=bash

FETCH_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}

part_fetch() {
  command -v cargo >/dev/null || fail "Rust is needed and cargo is not on PATH; install Rust and run it again"
  local manifest=$ROOT/Cargo.toml
  cargo fetch --quiet --locked --offline --manifest-path "$manifest" 2>/dev/null && return 0
  open_stage
  say "downloading the crates of Cargo.lock"
  twice run_limited "$FETCH_LIMIT" cargo fetch --locked --manifest-path "$manifest" ||
    cannot_have "a crate of Cargo.lock" "cargo fetch failed" "check the network, or that Cargo.lock fits the Cargo.toml files, and run it again"
  drop_stage
}
