# A run of several stages, which says at the end what took the time and which one failed.
# shellcheck shell=bash

TIMES=()
STAGE_NAME=
STAGE_START=$SECONDS
# What to say of a run that came to its end.
RESULT=

# stage NAME COMMAND...
stage() {
  STAGE_NAME=$1
  STAGE_START=$SECONDS
  shift
  echo "--- $STAGE_NAME"
  "$@"
  TIMES+=("$((SECONDS - STAGE_START))|$STAGE_NAME")
  STAGE_NAME=
}

# The script's EXIT trap.
report() {
  local entry
  echo "--- what took the time"
  for entry in "${TIMES[@]}"; do printf '%5d s  %s\n' "${entry%%|*}" "${entry#*|}"; done
  [[ -z $STAGE_NAME ]] || printf '%5d s  %s: FAILED\n' $((SECONDS - STAGE_START)) "$STAGE_NAME"
  printf '%5d s  in all%s\n' "$SECONDS" "${RESULT:+, all passed}"
}
