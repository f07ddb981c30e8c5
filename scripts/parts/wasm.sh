# The wasm32-wasip1 target: there already, or from rustup, or Debian's compiler unpacked privately.
# shellcheck shell=bash
# shellcheck source=../lib/wasm.sh
source "$ROOT/scripts/lib/wasm.sh"

RUSTUP_LIMIT=${MODGATE_RUSTUP_LIMIT:-180}
WASM_INSTEAD="run \`rustup target add $WASM_TARGET\` where the network allows it"

part_wasm() {
  local choice key
  if ! command -v rustc >/dev/null || ! command -v cargo >/dev/null; then
    fail "Rust is needed and rustc or cargo is not on PATH; install Rust and run it again"
  fi
  choice=$(wasm_choice)
  [[ $choice != debian ]] && machine_has_target && return 0
  key="rustc $WASM_RUST_VERSION of Debian $WASM_RUST_SUITE"
  [[ $choice != rustup ]] && installed "$key" && runs rustc_version rustc-wasm && return 0

  open_stage
  if [[ $choice != debian ]]; then
    add_with_rustup && drop_stage && return 0
    [[ $choice != rustup ]] ||
      cannot_have "the target $WASM_TARGET" "rustup did not add it within $RUSTUP_LIMIT s" "check the network, or set MODGATE_WASM_TOOLCHAIN=debian"
    say "rustup could not add $WASM_TARGET; taking Debian's compiler instead"
  fi
  unpack_compiler
  close_stage "$key"
  link_program rustc-wasm "$TOOLS/opt/wasm/rustc"
  runs rustc_version rustc-wasm ||
    cannot_have "Debian's rustc $WASM_RUST_VERSION" "it was unpacked but does not run" "$WASM_INSTEAD"
}

add_with_rustup() {
  command -v rustup >/dev/null || return 1
  say "rustup target add $WASM_TARGET (at most $RUSTUP_LIMIT s)"
  run_limited "$RUSTUP_LIMIT" rustup target add "$WASM_TARGET" && machine_has_target
}

# Run through its own loader, the compiler needs nothing of this machine's libraries, and nothing here is changed.
unpack_compiler() {
  local package
  [[ -x $(machine_rust_lld) ]] ||
    fail "Debian's compiler needs the linker rust-lld of a rustup toolchain and there is none; $WASM_INSTEAD"
  download_debian "$WASM_RUST_SUITE" "$WASM_RUST_SIZE" "$WASM_INSTEAD" "${WASM_RUST_PACKAGES[@]}" "$WASM_RUST_TARGET_PACKAGE"
  say "unpacking"
  for package in "${WASM_RUST_PACKAGES[@]}"; do unpack_debian "$package"; done
  unpack_debian "$WASM_RUST_TARGET_PACKAGE" "usr/lib/rustlib/$WASM_TARGET"
  rm -rf "$STAGE/debs" "$STAGE/apt" "$STAGE/root/usr/share"

  local loader
  loader=$(cd "$STAGE/root" && find usr/lib -name 'ld-linux-*.so.*' | head -n 1)
  [[ -n $loader ]] || cannot_have "Debian's rustc $WASM_RUST_VERSION" "its libc6 has no loader" "$WASM_INSTEAD"
  cat >"$STAGE/rustc" <<-SH
	#!/bin/sh
	root=\$(dirname "\$(readlink -f "\$0")")/root
	exec "\$root/$loader" --library-path "\$root/$(dirname "$loader")" "\$root/usr/bin/rustc" --sysroot "\$root/usr" "\$@"
	SH
  chmod 755 "$STAGE/rustc"
}

rustc_version() {
  "$1" --version 2>/dev/null | sed -n "s/^rustc \($WASM_RUST_VERSION\) .*/\1/p" | grep .
}
