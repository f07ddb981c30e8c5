//! What is read, where it stands, and what is refused.

use std::collections::BTreeMap;

use plain_yaml::{Kind, Writing, from_str, parse};
use serde::Deserialize;
use serde_json::{Value, json};

#[test]
fn scalars_are_what_kubernetes_makes_of_them() {
    let rows = [
        ("a boolean of YAML 1.1", "on", json!(true)),
        ("another", "n", json!(false)),
        ("a word in quotes", "'on'", json!("on")),
        ("a word by its tag", "!!str on", json!("on")),
        ("nothing", "~", json!(null)),
        ("an integer", "1_000", json!(1000)),
        ("a hexadecimal one", "0x1F", json!(31)),
        ("the largest", "18446744073709551615", json!(u64::MAX)),
        ("a float", "1e3", json!(1000.0)),
        ("a time", "12:30", json!("12:30")),
        ("a tag of somebody's", "!mine a", json!("a")),
    ];
    table_rows::check(rows, |(_, text, wanted)| {
        let documents = parse(&format!("[{text}]")).unwrap();
        assert_eq!(documents[0].value(), json!([wanted]));
    });
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    let rows = [
        (
            "an alias",
            "a: &x [1]\nb: *x\n",
            json!({"a": [1], "b": [1]}),
        ),
        (
            "own members win",
            "<<: {a: 1, b: 2}\na: 3\n",
            json!({"a": 3, "b": 2}),
        ),
        (
            "a list of objects",
            "<<: [{a: 1}, {a: 2, b: 2}]\n",
            json!({"a": 1, "b": 2}),
        ),
        ("a quoted key merges nothing", "'<<': 1\n", json!({"<<": 1})),
    ];
    table_rows::check(rows, |(_, text, wanted)| {
        assert_eq!(parse(text).unwrap()[0].value(), wanted);
    });
}

#[test]
fn values_and_keys_have_their_places() {
    let documents =
        parse("---\n---\na:\n  é: {b: [1, x]}\n  c: |\n\n    text\n---\nd: e\n").unwrap();
    assert_eq!(documents.len(), 2, "the empty one is left out");
    let Kind::Object(members) = &documents[0].get("a").unwrap().kind else {
        panic!("an object");
    };
    let at = |at: plain_yaml::Position| (at.line, at.column);
    assert_eq!(at(members[0].at), (4, 3));
    let Kind::List(list) = &members[0].value.get("b").unwrap().kind else {
        panic!("a list");
    };
    assert_eq!(at(list[1].at), (4, 14));
    let Kind::Text(_, writing) = members[1].value.kind else {
        panic!("a text");
    };
    assert_eq!(
        writing,
        Writing::Block {
            first_line: 6,
            indent: 4
        }
    );
    assert_eq!(at(documents[1].get("d").unwrap().at), (9, 4));
}

fn laughs() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let before = format!("*a{}", i - 1);
        text.push_str(&format!(
            "a{i}: &a{i} [{}]\n",
            [before.as_str(); 9].join(", ")
        ));
    }
    text
}

/// Each alias lies deep, in a value that the next one lies deep in.
fn deep_aliases() -> String {
    let (open, close) = ("[".repeat(100), "]".repeat(100));
    let mut text = String::from("a0: &a0 x\n");
    for i in 1..250 {
        text.push_str(&format!("a{i}: &a{i} {open}*a{}{close}\n", i - 1));
    }
    text
}

#[test]
fn what_would_fill_the_memory_or_the_stack_is_refused() {
    let long = "x".repeat(1 << 20);
    let rows = [
        ("flow lists", "[".repeat(100_000), "too deep"),
        ("blocks", "- ".repeat(100_000), "nested more than"),
        ("objects", "{a: ".repeat(100_000), "too deep"),
        ("billion laughs", laughs(), "too many values"),
        ("aliases in aliases", deep_aliases(), "nested more than"),
        (
            "a long text again and again",
            format!("a: &a {long}\nb: [{}]\n", "*a, ".repeat(10_000)),
            "too many values",
        ),
        ("an alias to itself", "a: &a [*a]".to_owned(), "an alias"),
    ];
    table_rows::check(rows, |(_, text, _)| {
        let problem = parse(&text).unwrap_err();
        let wanted = ["nested", "too many values", "alias", "recursion limit"];
        let message = &problem.message;
        assert!(
            wanted.iter().any(|part| message.contains(part)),
            "{message}"
        );
    });
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only what cannot be read is looked at")]
struct Order {
    name: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    labels: BTreeMap<String, u8>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Item {
    Nothing,
    Count(u8),
    Sized { width: u8 },
}

#[test]
fn a_type_is_read_with_its_variants() {
    let text =
        "name: on\nitems: [nothing, {count: 3}, sized: {width: 4}]\nlabels: {1.0: 2}\nnote: ~\n";
    let order: Order = from_str(text).unwrap();
    assert_eq!(order.name, "on");
    assert_eq!(
        order.items,
        [Item::Nothing, Item::Count(3), Item::Sized { width: 4 }]
    );
    assert_eq!(order.labels["1.0"], 2);
    assert_eq!(order.note, None);
    let by_number: BTreeMap<u16, bool> = from_str("80: yes\n443: false\n").unwrap();
    assert_eq!(by_number, BTreeMap::from([(80, true), (443, false)]));
    assert_eq!(
        from_str::<Value>("on: [push]").unwrap(),
        json!({"on": ["push"]})
    );
    let anything: Value = from_str("[on, y, NO, true, False, 1]").unwrap();
    assert_eq!(anything, json!(["on", "y", "NO", true, false, 1]));
    assert_eq!(from_str::<Option<u8>>("# nothing\n").unwrap(), None);
}

#[test]
fn what_cannot_be_read_has_its_path_line_and_column() {
    let rows = [
        (
            "no YAML",
            "a: [1\n",
            "while parsing a flow sequence, expected ',' or ']'",
        ),
        (
            "a key that is not known",
            "name: a\nnam: b\n",
            "unknown field `nam`, expected one of `name`, `items`, `labels`, `note` at line 2 column 1",
        ),
        (
            "a member that is missing",
            "\nnote: b\n",
            "missing field `name` at line 2 column 1",
        ),
        (
            "a wrong type deep inside",
            "name: a\nlabels:\n  a: 1\n  b c: many\n",
            "labels[\"b c\"]: invalid type: string \"many\", expected u8 at line 4 column 8",
        ),
        (
            "a variant that is not known",
            "name: a\nitems:\n- count: 1\n- cuont: 2\n",
            "items[1]: unknown variant `cuont`, expected one of `nothing`, `count`, `sized` at line 4 column 3",
        ),
        (
            "a number too large",
            "name: a\nitems: [count: 300]\n",
            "items[0].count: invalid value: integer `300`, expected u8 at line 2 column 16",
        ),
        (
            "nothing, where a string is wanted",
            "name: # later\n",
            "name: invalid type: null, expected a string at line 1 column 5",
        ),
        (
            "a key twice",
            "name: a\nlabels: {x: 1, y: 2,\n  x: 3}\n",
            "labels.x: the key is already defined (line 2) at line 3 column 3",
        ),
        (
            "a second document",
            "name: a\n---\nname: b\n",
            "there is a second document; give only one at line 3 column 1",
        ),
        (
            "bytes",
            "name: !!binary aGVsbG8=\n",
            "the tag !!binary is not supported; write the value itself at line 1 column 7",
        ),
        (
            "a quoted number by its tag",
            "name: !!int '3'\n",
            "the tag !!int is not supported; write the value itself at line 1 column 7",
        ),
        (
            "a key that is a list",
            "? [a]\n: b\n",
            "a key must be a string at line 1 column 3",
        ),
        (
            "a merge of a text",
            "<<: a\n",
            "only an object, or a list of them, can be merged at line 1 column 1",
        ),
        (
            "nothing at all",
            "",
            "invalid type: null, expected struct Order at line 1 column 1",
        ),
    ];
    table_rows::check(rows, |(_, text, wanted)| {
        let problem = from_str::<Order>(text).unwrap_err().to_string();
        assert!(problem.starts_with(wanted), "{problem}");
    });
}
