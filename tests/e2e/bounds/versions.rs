//! What backends say of versions: lists, go.mod files that retract, `.info`.

use serde_json::{Value, json};

use super::counted::Counted;

/// A tenant with rules about versions, as somebody writes them who approves versions one by one.
fn policy(rules: &Value) -> Value {
    json!({
        "version": "1", "default": "deny", "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    })
}

/// Hides what is highest, so that the retractions of the newest version are read too.
fn by_range() -> Value {
    policy(&json!([
        {"id": "new", "deny": ["corp.example"], "versions": ">=1.9999999.0 || v0"},
        {"id": "all", "allow": ["*"]},
    ]))
}

fn approved_one_by_one() -> Value {
    let versions: Vec<String> = (0..64).map(|n| format!("=1.{n}.7")).collect();
    policy(
        &json!([{"id": "ok", "allow": ["re:corp\\.example/.*"], "versions": versions.join(" || ")}]),
    )
}

fn cooldown() -> Value {
    policy(&json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]))
}

const VERSIONS: usize = 16_384;
const BYTES: usize = 512 << 10;

/// As many of a go.mod.
const GO_MOD_BYTES: usize = 1 << 20;

/// As many versions as a list may have, in no order, whose prereleases make each as long as it can be.
fn list(prerelease: impl Fn(usize, usize) -> String) -> String {
    let width = BYTES / VERSIONS - "v1.0.0-\n".len();
    let mut lines: Vec<String> = (0..VERSIONS)
        .map(|n| format!("v1.0.0-{}\n", prerelease(n, width)))
        .collect();
    fastrand::Rng::with_seed(1).shuffle(&mut lines);
    let list = lines.concat();
    let end = list.floor_char_boundary(BYTES);
    let whole = list[..end].rfind('\n').map_or(0, |at| at + 1);
    list[..whole].to_owned()
}

fn lists() -> [(&'static str, String); 4] {
    let mut short: Vec<String> = (0..VERSIONS).map(|n| format!("v1.{n}.0\n")).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut short);
    [
        ("short versions", short.concat()),
        (
            "versions that differ in their last bytes",
            list(|n, width| format!("{}{n:05}", "a".repeat(width - 5))),
        ),
        (
            "prereleases of many parts",
            list(|n, width| format!("{}a{n:05}", "0.".repeat((width - 6) / 2))),
        ),
        (
            "pseudo-versions",
            list(|n, _| format!("0.202401020304{:02}-{n:012x}", n % 60)),
        ),
    ]
}

#[test]
fn a_list_as_long_as_it_may_be_is_shaped_within_the_bound() {
    let rows = [
        ("a range", by_range()),
        ("versions one by one", approved_one_by_one()),
        ("a cooldown", cooldown()),
    ];
    table_rows::check(rows, |(rules, policy)| {
        for (what, list) in lists() {
            let mut counted = Counted::start(&policy);
            let answers = [
                ("/@v/list", list.as_str()),
                (".mod", "module corp.example/lib\n"),
            ];
            let path = "/corp.example/lib/@v/list";
            let answer = counted.get(path, &answers, b"", 1);
            assert_eq!(answer.status, 200, "{what}");
            counted.assert_bounded(&format!("{rules}, {what}"));
            // The second time the list is known.
            let first = counted.dearest;
            let again = counted.get(path, &answers, b"", 1);
            assert!(again.body == answer.body, "{what}");
            println!("  again: {} units", counted.dearest);
            assert!(
                counted.dearest <= first,
                "{what}: {} units again",
                counted.dearest
            );
        }
    });
}

#[test]
fn what_is_longer_than_it_may_be_is_refused_with_a_reason_at_once() {
    let many: String = (0..400_000).map(|n| format!("v1.{n}.0\n")).collect();
    let few: String = (0..=VERSIONS).map(|n| format!("v1.{n}.0\n")).collect();
    let long = format!("v1.0.0\n{}", "x".repeat(BYTES));
    for (list, reason) in [
        (many, "its answer is too long"),
        (
            few,
            "its list cannot be shaped: it has more than 16384 versions",
        ),
        (long, "its answer is too long"),
    ] {
        let mut counted = Counted::start(&by_range());
        let answer = counted.get("/corp.example/lib/@v/list", &[("/@v/list", &list)], b"", 1);
        let said = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 502, "{said}");
        assert!(said.contains(reason), "{said}");
        counted.assert_bounded(reason);
    }
}

#[test]
fn retractions_are_read_and_applied_within_the_bound() {
    let (_, list) = &lists()[1];
    let list = format!(
        "{}v1.9999999.0\n",
        list.rsplit_once("\nv").unwrap().0.to_owned() + "\n"
    );
    let intervals: String = (0..4096)
        .map(|n| {
            format!(
                "\t[v1.0.0-{}{n:05}, v1.0.0-{0}{:05}]\n",
                "a".repeat(20),
                n + 3
            )
        })
        .collect();
    let retracting = format!("module corp.example/lib\nretract (\n{intervals})\n");
    let line = "a( \"b\" [c],`d` // e\n";
    let rows = [
        ("as many as there may be", retracting),
        ("many short tokens", "a ".repeat(GO_MOD_BYTES / 2 - 1)),
        ("many lines", "x\n".repeat(GO_MOD_BYTES / 2 - 1)),
        (
            "many directives",
            line.replace('(', "").repeat(GO_MOD_BYTES / line.len()),
        ),
        ("one long word", "a".repeat(GO_MOD_BYTES)),
        ("no text", "\u{fffd}".repeat(GO_MOD_BYTES / 3)),
    ];
    table_rows::check(rows, |(what, go_mod)| {
        let mut counted = Counted::start(&by_range());
        let answers = [("/@v/list", list.as_str()), (".mod", go_mod.as_str())];
        counted.get("/corp.example/lib/@v/list", &answers, b"", 1);
        counted.assert_bounded(what);
    });
}

#[test]
fn an_info_is_read_within_the_bound() {
    const BYTES: usize = 64 << 10;
    let rows = [
        (
            "many members",
            format!(
                "{{{}\"Version\":\"v1.0.0\"}}",
                "\"a\":0,".repeat(BYTES / 6 - 8)
            ),
        ),
        ("deep", format!("{{\"a\":{}", "[".repeat(BYTES - 8))),
        (
            "escapes",
            format!("{{\"{}\":0}}", "\\u0130".repeat(BYTES / 6 - 4)),
        ),
        ("spaces", " ".repeat(BYTES)),
    ];
    table_rows::check(rows, |(what, body)| {
        let mut counted = Counted::start(&cooldown());
        counted.get("/corp.example/lib/@latest", &[("/@latest", &body)], b"", 1);
        counted.assert_bounded(what);
    });
}
