# The checker of the project's Python: on PATH, else its wheel.
# shellcheck shell=bash

part_ruff() {
  program_of_wheel ruff "$RUFF_MIN" ruff_version "$RUFF_WHEEL" "$RUFF_WHEEL_SIZE" "${RUFF_WHEEL_SHA256[@]}"
}

ruff_version() {
  "$1" --version 2>/dev/null | sed -n 's/^ruff //p' | grep .
}
