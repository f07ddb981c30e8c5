# Which compiler makes wasm32-wasip1 code here: the machine's own with the target, or Debian's beside it.
# MODGATE_WASM_TOOLCHAIN=rustup|debian takes one of them; `auto`, the default, takes the machine's own if it can.
# shellcheck shell=bash

WASM_TARGET=wasm32-wasip1

# wasm_choice: `auto`, `rustup` or `debian`.
wasm_choice() {
  case ${MODGATE_WASM_TOOLCHAIN:-auto} in
    auto | rustup | debian) printf '%s\n' "${MODGATE_WASM_TOOLCHAIN:-auto}" ;;
    *) fail "MODGATE_WASM_TOOLCHAIN is ${MODGATE_WASM_TOOLCHAIN}; set it to auto, rustup or debian" ;;
  esac
}

# machine_has_target: whether the machine's own compiler has the target's standard library.
machine_has_target() {
  compgen -G "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib/libstd-*.rlib" >/dev/null
}

# wasm_toolchain: `rustup` for the machine's own compiler, `debian` for Debian's.
wasm_toolchain() {
  local choice
  choice=$(wasm_choice)
  if [[ $choice != debian ]] && machine_has_target; then
    echo rustup
  elif [[ $choice != rustup && -x $BIN/rustc-wasm ]]; then
    echo debian
  else
    fail "no compiler for $WASM_TARGET is set up; run scripts/setup wasm"
  fi
}

# The linker that comes with the machine's own compiler: Debian's package has none.
machine_rust_lld() {
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  printf '%s/lib/rustlib/%s/bin/rust-lld\n' "$(rustc --print sysroot)" "$host"
}
