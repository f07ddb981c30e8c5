# The checker of the project's shell scripts: on PATH, else its wheel.
# shellcheck shell=bash

part_shellcheck() {
  use_from_path shellcheck "$SHELLCHECK_MIN" shellcheck_version && return 0
  local key="${SHELLCHECK_WHEEL} ${SHELLCHECK_WHEEL_SHA256[*]}"
  installed "$key" && link_shellcheck && runs shellcheck_version shellcheck && return 0

  local instead="put a shellcheck of $SHELLCHECK_MIN or newer on PATH"
  open_stage
  unpack_wheel "$SHELLCHECK_WHEEL" "$SHELLCHECK_WHEEL_SIZE" "$instead" "${SHELLCHECK_WHEEL_SHA256[@]}"
  mv "$STAGE"/wheel/*.data/scripts/shellcheck "$STAGE/shellcheck"
  rm -rf "$STAGE/wheel"
  chmod 755 "$STAGE/shellcheck"
  close_stage "$key"
  link_shellcheck
  runs shellcheck_version shellcheck ||
    cannot_have "shellcheck" "the wheel $SHELLCHECK_WHEEL was unpacked but its program does not run here" "$instead"
}

link_shellcheck() {
  link_program shellcheck "$TOOLS/opt/shellcheck/shellcheck"
}

shellcheck_version() {
  "$1" --version 2>/dev/null | sed -n 's/^version: //p' | grep .
}
