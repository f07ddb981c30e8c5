# Grafana's own model of dashboards, a Python library of which the dashboards are made. Its wheel needs nothing else.
# shellcheck shell=bash

part_dashboards() {
  local key="${GRAFANA_SDK_WHEEL} ${GRAFANA_SDK_WHEEL_SHA256[*]}"
  installed "$key" && return 0

  local instead="install python3 of $GRAFANA_SDK_PYTHON_MIN or newer" version
  version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "the dashboards are made by a Python program and there is no python3 here; $instead"
  version_at_least "$version" "$GRAFANA_SDK_PYTHON_MIN" ||
    fail "the dashboards are made by a Python program and python3 is $version here; $instead"
  open_stage
  unpack_wheel "$GRAFANA_SDK_WHEEL" "$GRAFANA_SDK_WHEEL_SIZE" "do without \`make dashboards\` and its tests" \
    "${GRAFANA_SDK_WHEEL_SHA256[@]}"
  close_stage "$key"
}
