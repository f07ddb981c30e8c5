# istiod (pilot-discovery) and the agent that runs Envoy beside a workload (pilot-agent), with the definitions of Istio's
# objects and the bootstrap that its proxies start from.
# shellcheck shell=bash

part_istio() {
  local key="$ISTIO_MODULE@$ISTIO_VERSION $ISTIO_SUM" folder
  installed "$key" && link_istio && istio_runs && return 0
  need go
  open_stage
  say "building istiod and its agent with go (about six minutes the first time)"
  build_go_module "$ISTIO_MODULE" "$ISTIO_VERSION" "$ISTIO_SUM" "$ISTIO_GOMOD_SUM" ./pilot/cmd/pilot-agent pilot-agent
  build_go_module "$ISTIO_MODULE" "$ISTIO_VERSION" "$ISTIO_SUM" "$ISTIO_GOMOD_SUM" ./pilot/cmd/pilot-discovery pilot-discovery
  folder=$(json_string Dir)
  install -m 644 "$folder/manifests/charts/base/files/crd-all.gen.yaml" "$STAGE/crds.yaml"
  install -m 644 "$folder/tools/packaging/common/envoy_bootstrap.json" "$STAGE/envoy_bootstrap.json"
  close_stage "$key"
  link_istio
  istio_runs || cannot_have "istio" "it was built but does not run" "remove .tools/opt/istio and run it again"
}

link_istio() {
  link_program pilot-discovery "$TOOLS/opt/istio/pilot-discovery"
  link_program pilot-agent "$TOOLS/opt/istio/pilot-agent"
}

istio_runs() {
  runs istio_version pilot-discovery && runs istio_version pilot-agent
}

istio_version() {
  "$1" version --short
}
