# The lint of the pages: a long paragraph and a name that leads nowhere are refused, each with its place.
# shellcheck shell=bash

# sentence N: a paragraph of N words.
sentence() {
  printf 'word %.0s' $(seq "$1")
}

# paragraphs FILE: STATUS and SAID are what came of the check.
paragraphs() {
  STATUS=0
  SAID=$(python3 "$SCRIPTS/lib/paragraphs.py" "$@" 2>&1) || STATUS=$?
}

names() {
  STATUS=0
  SAID=$(python3 "$SCRIPTS/lib/names.py" "$@" 2>&1) || STATUS=$?
}

fails() {
  ((STATUS == 1)) || wrong "the status should be 1"
}

test_80_words_are_a_paragraph() {
  sentence 80 >page.md
  paragraphs page.md
  succeeds
  [[ -z $SAID ]] || wrong "a good page should be quiet"
}

test_81_words_are_refused_with_their_line() {
  printf '# Title\n\nShort.\n\n%s\nend\n' "$(sentence 80)" >page.md
  paragraphs page.md
  fails
  says "page.md:5: a paragraph of 81 words; write at most 80"
}

test_lines_below_a_comment_keep_their_numbers() {
  printf '<!-- one\ntwo\n-->\n\n%s\n' "$(sentence 81)" >page.md
  paragraphs page.md
  says "page.md:5:"
}

test_items_count_one_by_one() {
  { printf -- '- %s\n' "$(sentence 60)" "$(sentence 60)"; } >page.md
  paragraphs page.md
  succeeds
  printf '1. %s\n   %s\n' "$(sentence 60)" "$(sentence 60)" >page.md
  paragraphs page.md
  fails
  says "page.md:1: a paragraph of 120 words"
}

test_code_tables_and_link_targets_do_not_count() {
  {
    # shellcheck disable=SC2016  # Markdown's
    printf '```\n%s\n```\n' "$(sentence 200)"
    printf '| %s |\n' "$(sentence 200)"
    printf '%s[word](https://example.com/%s)\n' "$(sentence 79)" "$(sentence 2 | tr ' ' /)"
  } >page.md
  paragraphs page.md
  succeeds
}

# A project with one source and the given page in docs/explain.
project() {
  git init --quiet .
  mkdir -p filter/src docs/explain
  echo 'pub fn evaluate() {}' >filter/src/lib.rs
  printf '%s\n' "$1" >docs/explain/page.md
  git add .
}

test_names_that_are_there_pass() {
  # shellcheck disable=SC2016  # Markdown's
  project '`filter/src/lib.rs`, filter/src/*.rs and `evaluate()`; https://example.com/filter/none is a URL.'
  names docs/explain/page.md
  succeeds
}

test_a_file_that_is_gone_is_refused() {
  project 'See filter/src/gone.rs.'
  names docs/explain/page.md
  fails
  says "docs/explain/page.md:1: there is no filter/src/gone.rs; name what took its place"
}

test_a_function_that_is_gone_is_refused() {
  # shellcheck disable=SC2016  # Markdown's
  project 'Then `judge()` decides.'
  names docs/explain/page.md
  fails
  says "there is no judge(); name what took its place"
}

test_code_that_names_a_page_that_is_gone_is_refused() {
  project 'Nothing.'
  echo '// As docs/explain/gone.md has it; docs/explain/page.md is there.' >filter/src/lib.rs
  names filter/src/lib.rs
  fails
  says "filter/src/lib.rs:1: there is no docs/explain/gone.md; name what took its place"
}
