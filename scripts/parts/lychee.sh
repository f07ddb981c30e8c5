# The checker of links in the project's Markdown: on PATH, else its wheel.
# shellcheck shell=bash

part_lychee() {
  program_of_wheel lychee "$LYCHEE_MIN" lychee_version "$LYCHEE_WHEEL" "$LYCHEE_WHEEL_SIZE" "${LYCHEE_WHEEL_SHA256[@]}"
}

lychee_version() {
  "$1" --version 2>/dev/null | sed -n 's/^lychee //p' | grep .
}
