# Where things are, how the scripts speak, and how they run a command that may hang.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=${MODGATE_TOOLS_DIR:-$ROOT/.tools}
BIN=$TOOLS/bin
# shellcheck source=../versions.env
source "${MODGATE_VERSIONS_FILE:-$ROOT/scripts/versions.env}"

# The command that speaks, and the part of it at work: both stand before each line it prints.
SPEAKER=$(basename "$0")
PART=

say() {
  printf '%s: %s%s\n' "$SPEAKER" "${PART:+$PART: }" "$*" >&2
}

# fail SENTENCE: the sentence says what is wrong and what to do.
fail() {
  say "$*"
  exit 1
}

# cannot_have WHAT TRIED DO: the one sentence for a thing that could not be had. The clients' own words are in the log.
cannot_have() {
  local log=
  [[ -s ${LOG:-} ]] && log=" (its output: ${LOG#"$ROOT"/})"
  fail "could not install $1: $2; $3$log"
}

# version_at_least HAVE MINIMUM
version_at_least() {
  printf '%s\n%s\n' "$2" "$1" | sort -V -C
}

RUNNING=
TICKER=

# run_limited SECONDS COMMAND...: runs a program, its output into $LOG, with the elapsed time shown on a terminal.
# Answers the program's status, or 124 where it had no answer in time. In the background, so that a signal reaches us.
run_limited() {
  local limit=$1 status=0
  shift
  if [[ -t 2 ]]; then
    show_elapsed &
    TICKER=$!
  fi
  "${TIMEOUT[@]}" "$limit" "$@" >>"$LOG" 2>&1 </dev/null &
  RUNNING=$!
  wait "$RUNNING" || status=$?
  RUNNING=
  stop_ticker
  return "$status"
}

# Without `timeout` (not every system ships it) a download still works, but can hang.
if command -v timeout >/dev/null; then
  TIMEOUT=(timeout --kill-after=5)
else
  no_timeout() { shift; "$@"; }
  TIMEOUT=(no_timeout)
fi

# twice COMMAND...: a download gets a second try, for a network that stumbled.
twice() {
  local status=0
  "$@" || status=$?
  ((status == 0)) && return 0
  say "failed; trying again"
  "$@"
}

show_elapsed() {
  local start=$SECONDS
  while sleep 1; do
    printf '\r%s: %s: %d s ' "$SPEAKER" "$PART" $((SECONDS - start)) >&2
  done
}

stop_ticker() {
  [[ -n $TICKER ]] || return 0
  kill "$TICKER" 2>/dev/null || true
  wait "$TICKER" 2>/dev/null || true
  TICKER=
  printf '\r\033[K' >&2
}

stop_running() {
  stop_ticker
  [[ -n $RUNNING ]] || return 0
  kill "$RUNNING" 2>/dev/null || true
  RUNNING=
}
