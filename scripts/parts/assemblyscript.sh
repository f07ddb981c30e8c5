# The compiler of AssemblyScript and its SDK for filters, as the lock file beside the filter pins them.
# shellcheck shell=bash

ASSEMBLYSCRIPT=$ROOT/host-sim/filters/assemblyscript
ASSEMBLYSCRIPT_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}

part_assemblyscript() {
  need node
  local key
  key=$(cksum <"$ASSEMBLYSCRIPT/package-lock.json")
  installed "$key" && return 0
  open_stage
  cp "$ASSEMBLYSCRIPT/package.json" "$ASSEMBLYSCRIPT/package-lock.json" "$STAGE"
  say "downloading the compiler of the AssemblyScript filter (17 MB)"
  twice run_limited "$ASSEMBLYSCRIPT_LIMIT" env PATH="$BIN:$PATH" "$BIN/npm" ci --prefix "$STAGE" --ignore-scripts --no-audit --no-fund ||
    cannot_have "the compiler of AssemblyScript" "npm ci failed" "check the network and npm's registry and run it again"
  close_stage "$key"
}
