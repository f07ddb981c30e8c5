# The checker of the project's shell scripts: on PATH, else its wheel.
# shellcheck shell=bash

part_shellcheck() {
  program_of_wheel shellcheck "$SHELLCHECK_MIN" shellcheck_version \
    "$SHELLCHECK_WHEEL" "$SHELLCHECK_WHEEL_SIZE" "${SHELLCHECK_WHEEL_SHA256[@]}"
}

shellcheck_version() {
  "$1" --version 2>/dev/null | sed -n 's/^version: //p' | grep .
}
