# How scripts/fuzz speaks; the targets are fakes here. What they find is shown by the real ones.
# shellcheck shell=bash

fuzz() {
  STATUS=0
  SAID=$("$SCRIPTS/fuzz" "$@" 2>&1) || STATUS=$?
}

# target NAME SCRIPT: a fake of the built target; cargo has nothing to do.
target() {
  export CARGO_TARGET_DIR=$HERE/target MODGATE_FUZZ_DIR=$HERE/found PATH=$HERE/bin:$PATH
  local triple folder
  triple=$(rustc -vV | sed -n 's/^host: //p')
  folder=target/fuzz/$triple/release
  mkdir -p "$folder" bin
  printf '#!/bin/sh\n' >bin/cargo
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$folder/$1"
  chmod +x bin/cargo "$folder/$1"
}

test_what_is_not_known_is_told_in_a_sentence() {
  local arguments
  for arguments in "--seconds x" "--runs 0" "--runs" "--fast" "--input nowhere" "kitchen"; do
    # shellcheck disable=SC2086
    fuzz $arguments
    ((STATUS == 1)) || wrong "$arguments should be refused"
    (($(wc -l <<<"$SAID") == 1)) || wrong "$arguments should be refused in one line"
  done
  says "there is no target kitchen; the targets are consult exchange identity module_path note"
}

test_without_a_cpp_compiler_it_says_what_to_do() {
  CXX=none-such fuzz --runs 1 version
  ((STATUS == 1)) || wrong "it should be refused"
  says "there is no C++ compiler, which builds libFuzzer; install g++ or clang++"
}

test_a_run_ends_with_a_table() {
  target version 'echo "#5	DONE   cov: 7 ft: 9 corp: 3/20b lim: 4 exec/s: 0 rss: 28Mb"
    echo "slowest: 1500 us"; echo "stat::number_of_executed_units: 5"; echo "stat::average_exec_per_sec: 2"'
  fuzz --runs 5 version
  succeeds
  [[ $SAID =~ version\ +5\ +2\ +7\ +9\ +1\.5\ +3/20b ]] || wrong "the figures should stand in the table"
}

test_an_input_that_breaks_a_target_is_named_with_the_command_to_run_it_again() {
  # shellcheck disable=SC2016  # the fake's
  target version 'for a; do case $a in -artifact_prefix=*) prefix=${a#*=} ;; esac; done
    echo "thread panicked at targets/version.rs:1:1:" >&2; echo bad >"${prefix}crash-1"
    echo "Test unit written to ${prefix}crash-1" >&2; exit 77'
  fuzz --seconds 1 version
  ((STATUS == 1)) || wrong "a finding should be a failure"
  says "panicked at targets/version.rs"
  says "run it again: scripts/fuzz --input $HERE/found/findings/version/crash-1 version"
  [[ -s found/findings/version/crash-1 ]] || wrong "the input should be kept"
}
