# Prometheus and promtool: both on PATH, else Debian's package unpacked privately.
# shellcheck shell=bash

part_prometheus() {
  use_from_path prometheus "$PROMETHEUS_MIN" prometheus_version &&
    use_from_path promtool "$PROMETHEUS_MIN" prometheus_version && return 0
  local key="${PROMETHEUS_PACKAGES[*]} of Debian $PROMETHEUS_SUITE"
  installed "$key" && link_prometheus && both_run && return 0

  local instead="put prometheus and promtool of $PROMETHEUS_MIN or newer on PATH" package
  open_stage
  download_debian "$PROMETHEUS_SUITE" "$PROMETHEUS_SIZE" "$instead" "${PROMETHEUS_PACKAGES[@]}"
  for package in "${PROMETHEUS_PACKAGES[@]}"; do unpack_debian "$package" usr/bin; done
  rm -rf "$STAGE/debs" "$STAGE/apt"
  close_stage "$key"
  link_prometheus
  both_run || cannot_have "prometheus" "Debian's package was unpacked but its programs do not run here" "$instead"
}

# Both from one place: a promtool must know what its prometheus knows.
link_prometheus() {
  link_program prometheus "$TOOLS/opt/prometheus/root/usr/bin/prometheus"
  link_program promtool "$TOOLS/opt/prometheus/root/usr/bin/promtool"
}

both_run() {
  runs prometheus_version prometheus && runs prometheus_version promtool
}

# `prometheus, version 2.42.0+ds (branch: ...)`, on standard error in some releases.
prometheus_version() {
  "$1" --version 2>&1 | sed -n 's/^prom[a-z]*, version \([0-9][0-9.]*\).*/\1/p' | grep .
}
