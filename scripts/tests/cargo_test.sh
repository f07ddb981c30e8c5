# All commands build with one selection of crates and so of features: with another one cargo compiles wasmtime once more,
# for minutes. And none does so without a word.
# shellcheck shell=bash disable=SC2016  # what is looked for is text of scripts

CHECKOUT=$(cd "$SCRIPTS/.." && pwd)
# What may run cargo: all but the tests here.
mapfile -t CALLERS < <(cd "$CHECKOUT" && grep -rl cargo Makefile .ci .github scripts README.md CONTRIBUTING.md \
  docs/guides/development.md docs/reference/tests.md |
  grep -v '^scripts/tests/')

# calls FILE...: each call of cargo that compiles, with what follows a backslash, as FILE:COMMAND.
calls() {
  local file
  for file in "$@"; do
    sed -e ':again' -e '/\\$/{N;s/\\\n */ /;bagain}' "$file" | sed -E '/^ *#/d' |
      grep -oE '\b(fuzz_)?cargo("? "\$command"| (b|build|c|check|clippy|d|doc|r|run|rustc|t|test|bench)\b)[^`|;&)]*' |
      sed "s#^#$file: #" || true
  done
}

# wrong_with CALL: what is wrong with it, or nothing.
wrong_with() {
  local call=" $1 "
  [[ $call != *" --quiet "* && $call != *" -q "* ]] || echo "says nothing while it compiles"
  case $call in
    # The fuzz targets are a workspace of their own, and the filter has a profile of its own.
    *" fuzz_cargo "* | *' --manifest-path "$ROOT/fuzz/Cargo.toml" '* | *" --manifest-path fuzz/Cargo.toml "* | *" --profile wasm "*) return ;;
  esac
  [[ $call == *" --release "* ]] || echo "builds another profile"
  # `cargo run` knows no --workspace, but takes it where no package is named.
  [[ $call == *" --workspace "* || $call == *" cargo run "* ]] || echo "lacks --workspace"
  [[ ! $call =~ \ (-p|--package|--exclude|-F|--features|--all-features|--no-default-features)[\ =] ]] ||
    echo "selects other features by ${BASH_REMATCH[1]}"
}

test_each_call_of_cargo_builds_the_same() {
  local call fault faults=() count=0
  cd "$CHECKOUT" || exit
  while read -r call; do
    count=$((count + 1))
    while read -r fault; do faults+=("$call: $fault"); done < <(wrong_with "$call")
  done < <(calls "${CALLERS[@]}")
  printf '%s\n' "${faults[@]}"
  ((count >= 10)) || wrong "only $count calls of cargo were found"
  ((${#faults[@]} == 0)) || wrong "calls of cargo that are not the shared one: ${#faults[@]}"
}

test_calls_that_build_twice_are_found() {
  local -A rows=(
    ["one package"]='cargo build --release --package modgate-e2e --bin envoy-stack'
    ["one test"]='cargo test --release --test e2e'
    ["another profile"]='cargo test --workspace'
    ["without a word"]='cargo build --release --quiet --workspace --bin modgate'
    ["continued"]=$'cargo test --release \\\n  --workspace --exclude modgate-bench'
  )
  local row found unseen=()
  for row in "${!rows[@]}"; do
    printf '%s\n' "${rows[$row]}" >script
    found=$(wrong_with "$(calls script)")
    [[ -n $found ]] || unseen+=("$row")
  done
  printf '%s\n' 'cargo build "${LOCKED[@]}" --release --workspace --bin modgate' >script
  [[ -z $(wrong_with "$(calls script)") ]] || unseen+=("the shared one is refused")
  ((${#unseen[@]} == 0)) || wrong "not found: ${unseen[*]}"
}

# Names of binaries and of test programs that a call selects, without those that a variable completes.
test_what_calls_select_is_there() {
  local known name missing=() count=0
  cd "$CHECKOUT" || exit
  known=$(cargo metadata --offline --no-deps --format-version 1 | grep -oE '"kind":\["(bin|test)"\],[^}]*"name":"[^"]+"')
  while read -r name; do
    count=$((count + 1))
    grep -qF "\"name\":\"$name\"" <<<"$known" || missing+=("$name")
  done < <(calls "${CALLERS[@]}" | grep -oE -- '--(bin|test) "?[a-z0-9-]+( |"?$)' | tr -d '"' | awk '{print $2}' | sort -u)
  ((count >= 4)) || wrong "only $count names were found"
  ((${#missing[@]} == 0)) || wrong "not there: ${missing[*]}"
}
