# Debian packages: which mirrors are taken, and that what is not signed is not.
# shellcheck shell=bash

setup_sources() {
  mkdir -p apt/sources.list.d
  export MODGATE_APT_SOURCES=$HERE/apt
}

mirrors() {
  bash -c 'set -euo pipefail; source "$1/lib/common.sh"; source "$1/lib/debian.sh"; debian_mirrors' bash "$SCRIPTS"
}

expect_mirrors() {
  local got
  got=$(mirrors | cut -d'|' -f1 | paste -sd' ')
  [[ $got == "$*" ]] || wrong "mirrors should be: $*; are: $got"
}

test_one_line_sources() {
  setup_sources
  cat >apt/sources.list <<-'LIST'
	# deb http://commented.test/debian bookworm main
	deb [trusted=yes] http://mirror.test/pool bookworm main
	deb [ arch=amd64 ] http://first.test/debian/ bookworm contrib main # the tail
	deb http://first.test/debian bookworm-updates main
	deb-src http://source.test/debian bookworm main
	deb http://security.test/debian-security bookworm-security main
	deb http://other.test/linux/debian bookworm stable
	LIST
  expect_mirrors http://first.test/debian http://mirror.test/pool
}

test_deb822_sources() {
  setup_sources
  printf 'Types: deb deb-src\nURIs: http://a.test/debian http://b.test/debian\nSuites: trixie trixie-updates\nComponents: contrib\n main\nSigned-By:\n -----BEGIN\n .\n abc' >apt/sources.list.d/a.sources
  printf 'Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nSuites: trixie\nComponents: main\n' >apt/sources.list.d/b.sources
  printf '# ours\nTypes: deb\nURIs: http://unused.test/x\nSuites: noble\nComponents: main\n' >apt/sources.list.d/c.sources
  expect_mirrors http://a.test/debian http://b.test/debian
}

test_no_mirror_is_told() {
  setup_sources
  set_up prometheus
  refuses prometheus
  says "the machine's apt sources name no Debian mirror; add one, or put prometheus and promtool"
}

test_mirror_out_of_reach() {
  setup_sources
  echo 'deb http://127.0.0.1:9/debian bookworm main' >apt/sources.list
  set_up prometheus
  refuses prometheus
  says "could not install the package index of Debian bookworm"
  leaves_nothing prometheus
}

test_unsigned_mirror_is_refused() {
  setup_sources
  mkdir -p mirror/debian/dists/bookworm/main/binary-amd64
  printf 'Package: prometheus\nVersion: 2.42.0\nArchitecture: amd64\nFilename: x.deb\nSize: 1\n' >mirror/debian/dists/bookworm/main/binary-amd64/Packages
  printf 'Origin: Debian\nSuite: bookworm\nCodename: bookworm\nComponents: main\nArchitectures: amd64\nDate: %s\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %T UTC')" >mirror/debian/dists/bookworm/Release
  echo "deb [trusted=yes] file:$HERE/mirror/debian bookworm main" >apt/sources.list
  set_up prometheus
  refuses prometheus
  grep -q 'is not signed' tools/log/prometheus.log || wrong "apt should have refused it as unsigned: $(<tools/log/prometheus.log)"
}

# rustup and rustc are fakes: a machine whose compiler lacks the target and whose rustup cannot fetch it.
machine_without_target() {
  mkdir -p machine
  printf '#!/bin/sh\ncase "$*" in *sysroot*) echo %q;; *) echo "host: x86_64-unknown-linux-gnu";; esac\n' "$HERE/sysroot" >machine/rustc
  printf '#!/bin/sh\n%s\n' "$1" >machine/rustup
  chmod +x machine/*
  mkdir -p sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin
  printf '#!/bin/sh\n' >sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
  chmod +x sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
  export PATH=$HERE/machine:$PATH
}

test_target_falls_back_to_debian() {
  setup_sources
  machine_without_target 'echo "error: could not download" >&2; exit 1'
  set_up wasm
  refuses wasm
  says "rustup could not add wasm32-wasip1; taking Debian's compiler instead"
  says "this needs Debian's suite trixie and the machine's apt sources name no Debian mirror"
  leaves_nothing wasm
}

test_rustup_has_a_time_limit() {
  setup_sources
  machine_without_target 'exec sleep 60'
  export MODGATE_RUSTUP_LIMIT=1 MODGATE_WASM_TOOLCHAIN=rustup
  set_up wasm
  refuses wasm
  says "rustup did not add it within 1 s"
}

test_target_from_rustup() {
  machine_without_target "mkdir -p $HERE/sysroot/lib/rustlib/wasm32-wasip1/lib; : >$HERE/sysroot/lib/rustlib/wasm32-wasip1/lib/libstd-0.rlib"
  set_up wasm
  succeeds
  set_up wasm
  succeeds
  [[ -z $SAID ]] || wrong "a second run should be quiet"
}
