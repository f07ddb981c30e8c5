# How a part gets into .tools: prepared in a folder of its own, then renamed, so that half an install never counts.
#
#   .tools/opt/PART/       what was installed, with the stamp that says from which pins
#   .tools/bin/NAME        a link to the program, there or on PATH; everything else uses only these
# shellcheck shell=bash

STAGE=
DID_WORK=

# open_stage: an empty folder to prepare the part in.
open_stage() {
  mkdir -p "$TOOLS/opt" "$BIN" "$TOOLS/log"
  STAGE=$(mktemp -d "$TOOLS/opt/.$PART.XXXXXX")
  chmod 755 "$STAGE"
  LOG=$TOOLS/log/$PART.log
  : >"$LOG"
  DID_WORK=yes
}

drop_stage() {
  [[ -n $STAGE ]] || return 0
  # The go command writes its module folders read-only; nothing here does, but a copy of them might.
  chmod -R u+w "$STAGE" 2>/dev/null || true
  rm -rf "$STAGE"
  STAGE=
}

# close_stage KEY: stamps the prepared folder and puts it in place with one rename.
close_stage() {
  printf '%s\n' "$1" >"$STAGE/.stamp"
  rm -rf "$TOOLS/opt/${PART:?}"
  mv "$STAGE" "$TOOLS/opt/$PART"
  STAGE=
}

# installed KEY: whether the part is in place and from these very pins.
installed() {
  local stamp=$TOOLS/opt/$PART/.stamp
  [[ -f $stamp && $(<"$stamp") == "$1" ]]
}

# link_program NAME PROGRAM
link_program() {
  mkdir -p "$BIN"
  [[ $(readlink "$BIN/$1" || true) == "$2" ]] && return 0
  ln -sfn "$2" "$BIN/$1"
}

# use_from_path NAME MINIMUM VERSION_FUNCTION: links the machine's own program where it is new enough.
# MODGATE_IGNORE_PATH=1 leaves the machine's programs aside and takes the pinned ones.
use_from_path() {
  local name=$1 minimum=$2 version_of=$3 found version
  [[ ${MODGATE_IGNORE_PATH:-} != 1 ]] || return 1
  found=$(path_without_tools && command -v "$name") || return 1
  version=$("$version_of" "$found") || return 1
  version_at_least "$version" "$minimum" || return 1
  link_program "$name" "$found"
}

# In a subshell only: what .tools itself holds is not "the machine's own".
path_without_tools() {
  PATH=$(printf '%s' "$PATH" | tr ':' '\n' | { grep -vxF "$BIN" || true; } | paste -sd: -)
}

# runs VERSION_FUNCTION NAME: whether the linked program starts at all; a truncated one does not.
runs() {
  [[ -x $BIN/$2 ]] && "$1" "$BIN/$2" >/dev/null
}
