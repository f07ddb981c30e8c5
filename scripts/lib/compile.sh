# Compiles Rust to modules, and puts what was built in its place.
# shellcheck shell=bash

TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
# A lock file that does not fit is a mistake in what was handed in; at a desk cargo may bring it up to date.
LOCKED=(${CI:+--locked})

# build_wasm PACKAGE...: modules, into the folder $WASM_BUILT.
build_wasm() {
  local toolchain target_dir=$TARGET_DIR
  local -a environment=("CARGO_ENCODED_RUSTFLAGS=$(wasm_flags)")
  toolchain=$(wasm_toolchain)
  if [[ $toolchain == debian ]]; then
    # Apart, or each of two compilers would throw away what the other has built.
    target_dir=$TARGET_DIR/debian-wasm
    environment+=("RUSTC=$BIN/rustc-wasm" "CARGO_TARGET_WASM32_WASIP1_LINKER=$(machine_rust_lld)")
  fi
  env -u RUSTFLAGS "${environment[@]}" cargo build "${LOCKED[@]}" "${@/#/--package=}" --profile wasm \
    --target "$WASM_TARGET" --target-dir "$target_dir"
  WASM_BUILT=$target_dir/$WASM_TARGET/wasm
}

# What V8 takes, and no path of the machine in what ships. Separated as cargo wants it, so that paths may have spaces.
wasm_flags() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo} folder
  local -a flags=("-Ctarget-feature=+simd128,+bulk-memory" "--remap-path-prefix=$ROOT/=")
  for folder in "$cargo_home"/registry/src/*/; do
    flags+=("--remap-path-prefix=$folder=")
  done
  local IFS=$'\x1f'
  printf '%s' "${flags[*]}"
}

# deliver FILE TO: with one rename, and only where it changed: whoever watches the file sees it whole.
deliver() {
  local folder name
  folder=$(dirname "$2") name=$(basename "$2")
  mkdir -p "$folder"
  cmp -s "$1" "$2" && return 0
  cp "$1" "$folder/.$name.new"
  mv "$folder/.$name.new" "$2"
  say "${2#"$ROOT"/}, $(($(wc -c <"$2") / 1024)) KiB"
}
