# Programs that are Go modules: the module as pinned, built in its own folder with its own go.sum.
# `go install MODULE@VERSION` does not do: behind some proxies its probes of longer paths fail.
# shellcheck shell=bash

MODULE_LIMIT=${MODGATE_DOWNLOAD_LIMIT:-600}
GO_BUILD_LIMIT=1800

# build_go_module MODULE VERSION SUM GOMOD_SUM PACKAGE PROGRAM: leaves $STAGE/PROGRAM.
build_go_module() {
  local module=$1 version=$2 sum=$3 gomod_sum=$4 package=$5 program=$6 folder status=0
  say "downloading $module $version"
  twice download_module "$module@$version" || status=$?
  ((status == 124)) && cannot_have "the Go module $module $version" "go mod download had no answer within $MODULE_LIMIT s" "check the network and GOPROXY and run it again"
  ((status == 0)) || cannot_have "the Go module $module $version" "go mod download failed" "check the network and GOPROXY and run it again"
  [[ $(json_string Sum) == "$sum" && $(json_string GoModSum) == "$gomod_sum" ]] ||
    fail "$module $version does not match the go sums pinned in scripts/versions.env and was rejected; find out who changed it"
  folder=$(json_string Dir)

  say "building $module $version with go (a minute or two the first time)"
  build_go_program "$folder" "$package" "$program" ||
    cannot_have "$program" "go could not build $module $version" "read why in the log and run it again"
}

# build_go_program FOLDER PACKAGE PROGRAM [TAGS]: with the go.sum of the folder's module, leaves $STAGE/PROGRAM. Nobody
# debugs it, so it is linked without what that would need.
build_go_program() {
  GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 run_limited "$GO_BUILD_LIMIT" \
    "$BIN/go" -C "$1" build -mod=readonly -buildvcs=false -trimpath -ldflags="-s -w" -tags="${4:-}" -o "$STAGE/$3" "$2"
}

# The answer is JSON, one key a line; its own file, for the log also has what go says while it works.
download_module() {
  # shellcheck disable=SC2016  # $1 and $2 are the inner shell's
  GOWORK=off GOTOOLCHAIN=local run_limited "$MODULE_LIMIT" \
    sh -c '"$1" mod download -json "$2" >"$3" || { cat "$3"; exit 1; }' sh "$BIN/go" "$1" "$STAGE/module.json"
}

json_string() {
  sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$STAGE/module.json"
}
