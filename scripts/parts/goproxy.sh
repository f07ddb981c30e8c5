# goproxy/goproxy, one of the Go proxies that the filter is tested in front of.
# shellcheck shell=bash

part_goproxy() {
  local key="$GOPROXY_MODULE@$GOPROXY_VERSION $GOPROXY_SUM"
  installed "$key" && link_program goproxy "$TOOLS/opt/goproxy/goproxy" && runs goproxy_version goproxy && return 0
  need go
  open_stage
  build_go_module "$GOPROXY_MODULE" "$GOPROXY_VERSION" "$GOPROXY_SUM" "$GOPROXY_GOMOD_SUM" ./cmd/goproxy goproxy
  close_stage "$key"
  link_program goproxy "$TOOLS/opt/goproxy/goproxy"
  runs goproxy_version goproxy || cannot_have "goproxy" "it was built but does not run" "remove .tools/opt/goproxy and run it again"
}

goproxy_version() {
  "$1" --version 2>&1 | grep -i version
}
