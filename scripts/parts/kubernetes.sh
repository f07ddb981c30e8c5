# etcd, an API server and kubectl: what a control plane keeps its objects in. All are programs of one Go module, which
# has most of each other in them.
# shellcheck shell=bash

KUBERNETES_MODULE=$ROOT/tests/go/kubernetes
# The programs by their packages.
KUBERNETES_PROGRAMS=(
  etcd=go.etcd.io/etcd/server/v3
  kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver
  kubectl=k8s.io/kubernetes/cmd/kubectl
)

part_kubernetes() {
  local key program
  key=$(cat "$KUBERNETES_MODULE"/{go.mod,go.sum} | cksum)
  installed "$key" && link_kubernetes && kubernetes_runs && return 0
  need go
  open_stage
  say "building etcd, kube-apiserver and kubectl with go (about seven minutes the first time)"
  for program in "${KUBERNETES_PROGRAMS[@]}"; do
    twice build_go_program "$KUBERNETES_MODULE" "${program#*=}" "${program%%=*}" ||
      cannot_have "${program%%=*}" "go could not build it from tests/go/kubernetes" "check the network and GOPROXY, read why in the log and run it again"
  done
  close_stage "$key"
  link_kubernetes
  kubernetes_runs || cannot_have "kubernetes" "it was built but does not run" "remove .tools/opt/kubernetes and run it again"
}

link_kubernetes() {
  local program
  for program in "${KUBERNETES_PROGRAMS[@]}"; do
    link_program "${program%%=*}" "$TOOLS/opt/kubernetes/${program%%=*}"
  done
}

kubernetes_runs() {
  runs kubernetes_version etcd && runs kubernetes_version kube-apiserver && runs kubectl_version kubectl
}

kubernetes_version() {
  "$1" --version
}

kubectl_version() {
  "$1" version --client
}
