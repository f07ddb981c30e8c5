# Programs that are Go modules, with the real go command and a module of our own behind GOPROXY=file://.
# shellcheck shell=bash

# local_module: goproxy/goproxy's place is taken by a module of the pinned name whose program only tells its version.
local_module() {
  unset MODGATE_IGNORE_PATH
  pin GOPROXY_MODULE example.test/proxy
  pin GOPROXY_VERSION v1.0.0
  python3 - <<-'PY'
	import os, zipfile
	folder = "proxy/example.test/proxy/@v"
	os.makedirs(folder)
	mod = "module example.test/proxy\n\ngo 1.21\n"
	main = 'package main\n\nfunc main() { println("Version: v1.0.0") }\n'
	open(f"{folder}/v1.0.0.info", "w").write('{"Version": "v1.0.0"}')
	open(f"{folder}/v1.0.0.mod", "w").write(mod)
	with zipfile.ZipFile(f"{folder}/v1.0.0.zip", "w") as archive:
	    archive.writestr(zipfile.ZipInfo("example.test/proxy@v1.0.0/go.mod"), mod)
	    archive.writestr(zipfile.ZipInfo("example.test/proxy@v1.0.0/cmd/goproxy/main.go"), main)
	PY
  export GOPROXY=file://$HERE/proxy GONOSUMDB=example.test GOMODCACHE=$HERE/modules GOFLAGS=-modcacherw
}

# The sums, computed once with `go mod download -json` and written down, as a pin is.
pin_local_module() {
  pin GOPROXY_SUM "$(module_sum Sum)"
  pin GOPROXY_GOMOD_SUM "$(module_sum GoModSum)"
}

module_sum() {
  go mod download -json example.test/proxy@v1.0.0 | sed -n "s/.*\"$1\": \"\(h1:[^\"]*\)\".*/\1/p"
}

test_module_with_pinned_sums_is_built() {
  local_module && pin_local_module
  set_up goproxy
  succeeds
  [[ $(tools/bin/goproxy 2>&1) == "Version: v1.0.0" ]] || wrong "the program should run"
  rm -r proxy
  set_up goproxy
  succeeds
  [[ -z $SAID ]] || wrong "a second run should be quiet"
}

test_module_with_other_sums_is_refused() {
  local_module
  set_up goproxy
  refuses goproxy
  says "does not match the go sums pinned in scripts/versions.env"
  leaves_nothing goproxy
}

test_module_proxy_out_of_reach() {
  local_module
  GOPROXY=http://127.0.0.1:9
  set_up goproxy
  refuses goproxy
  says "could not install the Go module example.test/proxy v1.0.0: go mod download failed; check the network and GOPROXY"
}
