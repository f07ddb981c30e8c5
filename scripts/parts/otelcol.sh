# The OpenTelemetry Collector, and a Prometheus 3 that discovers pods, which Debian's does not. Both are programs of
# one Go module, because the collector has most of Prometheus in it: what the one costs to build, the other has free.
# shellcheck shell=bash

OTELCOL_MODULE=$ROOT/tests/go/otelcol
# Of Prometheus' thirty service discoveries the one for pods, or the build would be twice as long.
OTELCOL_TAGS=remove_all_sd,enable_kubernetes_sd

part_otelcol() {
  local key
  key="$OTELCOL_TAGS $(cat "$OTELCOL_MODULE"/{go.mod,go.sum,main.go} | cksum)"
  installed "$key" && link_otelcol && otelcol_run && return 0
  need go
  open_stage
  say "building the collector and Prometheus with go (three to five minutes the first time)"
  otelcol_build otelcol .
  otelcol_build prometheus github.com/prometheus/prometheus/cmd/prometheus
  close_stage "$key"
  link_otelcol
  otelcol_run || cannot_have "otelcol" "it was built but does not run" "remove .tools/opt/otelcol and run it again"
}

# otelcol_build PROGRAM PACKAGE: go.sum beside go.mod says what each module's bytes must be.
otelcol_build() {
  twice build_go_program "$OTELCOL_MODULE" "$2" "$1" "$OTELCOL_TAGS" ||
    cannot_have "$1" "go could not build it from tests/go/otelcol" "check the network and GOPROXY, read why in the log and run it again"
}

link_otelcol() {
  link_program otelcol "$TOOLS/opt/otelcol/otelcol"
  link_program prometheus3 "$TOOLS/opt/otelcol/prometheus"
}

otelcol_run() {
  runs otelcol_version otelcol && runs otelcol_version prometheus3
}

otelcol_version() {
  "$1" --version 2>&1 | grep -i version
}
