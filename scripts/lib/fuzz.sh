# How the fuzz targets are built: with the branches counted, for libFuzzer, by the compiler that builds everything else.
# shellcheck shell=bash

# What follows the target's folder is the machine's triple and the profile.
FUZZ_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/fuzz

# fuzz_cargo COMMAND ARGUMENT...: the flags are those of `cargo fuzz build --sanitizer none`. With --target, or the build
# scripts would be built with them too. A lock file that does not fit is a mistake in what was handed in.
fuzz_cargo() {
  local command=$1
  shift
  command -v "${CXX:-c++}" >/dev/null ||
    fail "there is no C++ compiler, which builds libFuzzer; install g++ or clang++, or name one in CXX"
  env -u RUSTFLAGS "CARGO_ENCODED_RUSTFLAGS=$(fuzz_flags)" cargo "$command" ${CI:+--locked} --release \
    --manifest-path "$ROOT/fuzz/Cargo.toml" --target "$(fuzz_triple)" --target-dir "$FUZZ_TARGET_DIR" "$@"
}

fuzz_triple() {
  rustc -vV | sed -n 's/^host: //p'
}

# Separated as cargo wants it.
fuzz_flags() {
  local -a flags=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
  )
  local IFS=$'\x1f'
  printf '%s' "${flags[*]}"
}
