# Grafana's own types of dashboards, of four of its versions, and the compiler that reads them. package-lock.json
# says what the bytes of each must be; nothing of them is run but the compiler.
# shellcheck shell=bash

TYPES_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}

part_types() {
  local from=$ROOT/tests/npm key
  key="$(cat "$from/package.json" "$from/package-lock.json" | cksum)"
  need node
  installed "$key" && return 0
  open_stage
  cp "$from/package.json" "$from/package-lock.json" "$STAGE"
  say "downloading the types of tests/npm/package.json (6 MB)"
  twice run_limited "$TYPES_LIMIT" "$BIN/npm" ci --prefix "$STAGE" --ignore-scripts --no-audit --no-fund ||
    cannot_have "a package of tests/npm" "npm ci failed" "check the network and npm's registry, read why in the log and run it again"
  close_stage "$key"
}
