//! What is written is what is read, by this crate and by a reader of YAML 1.1.

use std::io::Write;
use std::process::{Command, Stdio};

use plain_yaml::{from_str, parse, to_string};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// Strings that one reader or another takes for something else when they have no quotes.
const TRAPS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "y",
    "Y",
    "n",
    "yes",
    "No",
    "on",
    "OFF",
    "true",
    "False",
    "=",
    "<<",
    "1",
    "1.0",
    "-1",
    "+1",
    "0x1",
    "0o7",
    "017",
    "0b1",
    "1e3",
    "1E3",
    "1_000",
    ".5",
    ".inf",
    "-.INF",
    ".nan",
    "12:30",
    "1:2:3",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43",
    "a: b",
    "a:",
    ":a",
    "a #b",
    "#a",
    "-",
    "- a",
    "-a",
    "--- a",
    "---",
    "...",
    "?",
    "? a",
    "!a",
    "!!int 1",
    "&a",
    "*a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "[a",
    "]",
    "{a}",
    ",a",
    "'",
    "\"",
    "it's",
    "a\\b",
    " a",
    "a ",
    "\t",
    "a\tb",
    "\ta",
    "a\n",
    "a\nb",
    "a\nb\n",
    "\na",
    "a\n\n",
    "a\n\nb",
    " a\nb",
    "a\n b\n",
    "a\n  \nb",
    "a\r\nb",
    "a\rb",
    "a\n\tb",
    "- a\n- b\n",
    "# a\nb",
    "---\na",
    "...\n",
    "a: b\nc: d\n",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{ffff}",
    "é",
    "日本",
    "😀",
    "a\u{2029}b\nc",
    "30s",
    "1h",
    "5m",
    "10.0.0.1",
    "v1.2.3",
    "a/b",
    "/a",
    "x=1",
    "a,b",
    "a [b]",
    "٣",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(TRAPS).prop_map(str::to_owned),
        proptest::sample::select(
            &[
                " ", "\n", ":", "#", "-", "\t", "'", "\"", "\\", "e", "0", ".", ","
            ][..]
        )
        .prop_map(str::to_owned),
        any::<char>().prop_map(|c| c.to_string()),
        "[a-z0-9]{0,5}",
    ];
    prop_oneof![
        3 => proptest::sample::select(TRAPS).prop_map(str::to_owned),
        3 => proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => "[a-z ]{400,1500}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn read_back(value: &Value) {
    let text = to_string(value).unwrap();
    // A null alone is an empty document, of which there is none.
    if !value.is_null() {
        let documents = parse(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        assert_eq!(documents[0].value(), *value, "{text}");
    }
    let typed: Value = from_str(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    assert_eq!(typed, *value, "{text}");
}

#[test]
fn every_trap_is_read_back() {
    table_rows::check(TRAPS, |trap| {
        read_back(&json!(trap));
        read_back(&json!([trap, [trap], {"a": [trap]}]));
        read_back(&json!({*trap: trap, "b": {*trap: [trap]}}));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_read_back(value in value()) {
        read_back(&value);
    }
}

/// Python's reader is one of YAML 1.1, and it is on most machines.
const READER: &str = "
import json, sys, yaml
for line in sys.stdin:
    text, wanted = json.loads(line)
    found = yaml.safe_load(text)
    if json.dumps(found, sort_keys=True) != json.dumps(wanted, sort_keys=True):
        sys.exit('%s\\nis read as %r' % (text, found))
";

#[test]
fn a_reader_of_yaml_1_1_reads_the_same() {
    let there = Command::new("python3").args(["-c", "import yaml"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("python3 has no module yaml: nothing is compared");
        return;
    }
    let mut runner = TestRunner::deterministic();
    let random = (0..1000).map(|_| value().new_tree(&mut runner).unwrap().current());
    let traps = TRAPS.iter().map(|trap| json!({*trap: [trap]}));
    let lines: Vec<String> = traps
        .chain(random)
        .map(|value| json!([to_string(&value).unwrap(), value]).to_string())
        .collect();
    let mut python = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    // It goes at the first difference; what it says of that is the message.
    let _ = stdin.write_all(lines.join("\n").as_bytes());
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn what_people_read_is_without_quotes_where_it_can_be() {
    let value = json!({
        "clusters": [{"name": "a_b", "timeout": "30s", "type": "STRICT_DNS"}, []],
        "empty": {},
        "script": "one\n  two\n\nthree\n",
        "url": "http://proxy:8080/a?b=c#d",
        "words": ["on", "1.20", "a: b", "tab\there"],
    });
    let wanted = r#"clusters:
- name: a_b
  timeout: 30s
  type: STRICT_DNS
- []
empty: {}
script: |
  one
    two

  three
url: http://proxy:8080/a?b=c#d
words:
- 'on'
- '1.20'
- 'a: b'
- "tab\there"
"#;
    assert_eq!(to_string(&value).unwrap(), wanted);
}
