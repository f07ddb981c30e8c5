# Athens, one of the Go proxies that the filter is tested in front of.
# shellcheck shell=bash

part_athens() {
  local key="$ATHENS_MODULE@$ATHENS_VERSION $ATHENS_SUM"
  installed "$key" && link_program athens "$TOOLS/opt/athens/athens" && runs athens_version athens && return 0
  need go
  open_stage
  build_go_module "$ATHENS_MODULE" "$ATHENS_VERSION" "$ATHENS_SUM" "$ATHENS_GOMOD_SUM" ./cmd/proxy athens
  close_stage "$key"
  link_program athens "$TOOLS/opt/athens/athens"
  runs athens_version athens || cannot_have "athens" "it was built but does not run" "remove .tools/opt/athens and run it again"
}

athens_version() {
  "$1" -version 2>&1 | grep -i version
}
