//! `modgate policy build` and `modgate policy diff`, as a person runs them.

use std::fs;
use std::path::Path;
use std::process::Output;

use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::tools::root;
use serde_json::{Value, json};

fn base() -> Value {
    json!({
        "version": "7", "default": "deny",
        "teams": {
            "web": {
                "tenants": ["web", "web-ci"],
                "namespaces": ["corp.example/web", "github.com/corp/web"],
                "rules": ["guard", "{team}", "public"]
            },
            "pay": {"tenants": ["pay"], "namespaces": ["corp.example/pay"], "require": ["path"]}
        },
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {"rules": ["guard"]}},
        "rules": {
            "guard": [{"id": "typosquat", "deny": ["github.com/boltdb-go/bolt"]}],
            "public": [{"id": "public", "allow": ["golang.org"]}]
        },
        "backends": {"main": {"cluster": "c"}},
        "routes": [{"id": "all", "backend": "main"}],
        "tests": [{"tenant": "web", "module": "golang.org/x/text", "expect": "allow"}]
    })
}

const WEB: &str = "\
tenants:
  web:
    rules: [web-own]
    rollout:
      candidate: [web-own, web-next]
      stage: shadow
rules:
  web-own:
  - id: own
    allow: [corp.example/web, 'github.com/corp/web/lib-*']
  web-next:
  - id: old
    deny: [corp.example/web/old]
    versions: <v1.2.0
tests:
- {tenant: web, module: corp.example/web/lib, expect: allow}
";

const PAY: &str = r#"{
  "tenants": {"pay": {"rules": ["pay-own"]}},
  "rules": {"pay-own": [{"id": "ledger", "allow": ["corp.example/pay/ledger"]}]}
}"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(base: &Value, files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("teams")).unwrap();
        fs::write(dir.path().join("base.json"), format!("{base:#}")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn build(&self, more: &[&str]) -> Output {
        let folder = self.path().to_str().unwrap();
        modgate([&["policy", "build", folder], more].concat(), b"")
    }
}

fn built(base: &Value, files: &[(&str, &str)]) -> Value {
    let output = Folder::new(base, files).build(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

const GOOD: [(&str, &str); 2] = [("teams/web.yaml", WEB), ("teams/pay.json", PAY)];

#[test]
fn parts_become_one_policy_that_does_what_they_say() {
    let folder = Folder::new(&base(), &GOOD);
    let output = folder.build(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let policy: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(policy.get("teams"), None);
    let tenants = &policy["tenants"];
    assert_eq!(
        tenants["web"]["rules"],
        json!(["guard", "web-own", "public"])
    );
    assert_eq!(
        tenants["web"]["rollout"]["candidate"],
        json!(["guard", "web-own", "web-next", "public"])
    );
    // A tenant of which its team says nothing has what the base gives it, and is not everybody.
    assert_eq!(tenants["web-ci"], json!({"rules": ["guard", "public"]}));
    assert_eq!(
        tenants["pay"],
        json!({"rules": ["pay-own"], "require": ["path"]})
    );
    assert_eq!(policy["tests"].as_array().unwrap().len(), 2);
    let tested = modgate(["test", "-"], text.as_bytes());
    assert!(
        stdout(&tested).contains("2 passed, 0 failed"),
        "{}",
        stderr(&tested)
    );
    let checked = modgate(["check", "--json", "-"], text.as_bytes());
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let hash = checked[0]["hash"].as_str().unwrap();
    let said = stderr(&output);
    assert!(
        said.contains(&format!(
            "version 7, hash {hash}: 4 tenants, 5 rules, 1 route"
        )),
        "{said}"
    );

    // The same, byte for byte, from other files with the same meaning, into a file.
    let other = Folder::new(
        &base(),
        &[("teams/pay.yml", PAY), ("teams/.web.yaml.swp", "x")],
    );
    let web: Value = serde_json::from_str(&stdout(&folder.build(&[]))).unwrap();
    assert_eq!(web["version"], "7");
    fs::write(other.path().join("teams/web.yml"), WEB).unwrap();
    let file = other.path().join("policy.json");
    fs::write(&file, "old").unwrap();
    let written = other.build(&["-o", file.to_str().unwrap()]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(stdout(&written), "");
    let named = other.build(&["--set-version", "2026-11-23.4"]);
    let named: Value = serde_json::from_str(&stdout(&named)).unwrap();
    assert_eq!(named["version"], "2026-11-23.4");
}

#[test]
fn the_parts_that_are_shown_become_a_policy() {
    let page = std::fs::read_to_string(root().join("docs/guides/policy-parts.md")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("teams")).unwrap();
    let mut shown = 0;
    for block in page.split("```yaml\n# ").skip(1) {
        let (name, text) = block.split_once('\n').unwrap();
        let text = text.split("```").next().unwrap();
        fs::write(dir.path().join(name), text).unwrap();
        shown += 1;
    }
    assert_eq!(shown, 2);
    let output = modgate(["policy", "build", dir.path().to_str().unwrap()], b"");
    let said = stderr(&output);
    assert!(
        output.status.success() && !said.contains("warning"),
        "{said}"
    );
    assert!(page.contains(said.trim()), "{said}");
}

#[test]
fn no_part_is_written_over() {
    let folder = Folder::new(&base(), &GOOD);
    for part in ["base.json", "teams/web.yaml", "teams/../base.json"] {
        let file = folder.path().join(part);
        let before = fs::read(&file).unwrap();
        let output = folder.build(&["-o", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{part}");
        assert!(stderr(&output).contains("is one of the parts"), "{part}");
        assert_eq!(fs::read(&file).unwrap(), before, "{part}");
    }
}

/// Builds with a file of the team `web` and expects it to be refused, with a line of its own.
#[track_caller]
fn refused(web: &str, place: &str, why: &str) {
    let folder = Folder::new(&base(), &[("teams/web.yaml", web), ("teams/pay.json", PAY)]);
    let file = folder.path().join("policy.json");
    fs::write(&file, "old").unwrap();
    let output = folder.build(&["-o", file.to_str().unwrap()]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let found = said
        .lines()
        .any(|line| line.contains(place) && line.contains(why));
    assert!(found, "no line {place} ... {why} in\n{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "{said}");
}

#[test]
fn a_team_speaks_for_nobody_else() {
    let with = |from: &str, to: &str| {
        assert!(WEB.contains(from), "{from}");
        WEB.replacen(from, to, 1)
    };
    let place = "web.yaml:10:13: $.rules.web-own[0].allow[0]: ";
    for outside in [
        "corp.example",
        "corp.example/webx",
        "corp.example/web*",
        "corp.example/*",
        "corp.example/pay",
        "corp.example/Web",
        "'*'",
        "'re:corp\\.example/web/.*'",
        "'corp.example/./web'",
    ] {
        let web = with("[corp.example/web,", &format!("[{outside},"));
        refused(
            &web,
            place,
            "namespaces (corp.example/web, github.com/corp/web)",
        );
    }
    refused(
        &with("deny: [corp.example/web/old]", "deny: [corp.example]"),
        "web.yaml:13:12: $.rules.web-next[0].deny[0]: ",
        "may match outside",
    );
    refused(
        &with("versions: <v1.2.0", "fold_case: true"),
        "web.yaml:14:5: $.rules.web-next[0].fold_case: ",
        "another team",
    );
    for tenant in ["pay", "'*'", "wbe"] {
        let web = with("  web:\n", &format!("  {tenant}:\n"));
        refused(
            &web,
            "web.yaml:2:3: $.tenants",
            "its tenants are: web, web-ci",
        );
        let web = with("{tenant: web,", &format!("{{tenant: {tenant},"));
        refused(&web, "web.yaml:16:", "does not belong to this team");
    }
    for set in ["guard", "public", "pay-own"] {
        let web = with("rules: [web-own]", &format!("rules: [{set}]"));
        let why = format!("this file has no rule set {set:?}; it has: web-own, web-next");
        refused(&web, "web.yaml:3:13: $.tenants.web.rules[0]: ", &why);
        let web = with("candidate: [web-own,", &format!("candidate: [{set},"));
        refused(
            &web,
            "web.yaml:5:19: $.tenants.web.rollout.candidate[0]: ",
            &why,
        );
    }
    for key in ["integrity: 'off'", "require: [path]", "rule: [web-own]"] {
        let web = with("    rules: [web-own]", &format!("    {key}"));
        refused(
            &web,
            "web.yaml:3:5: $.tenants.web.",
            "the rest belongs in the base",
        );
    }
    for key in [
        "default: allow",
        "backends: {}",
        "routes: []",
        "identity: []",
        "teams: {}",
        "version: '8'",
    ] {
        let web = format!("{key}\n{WEB}");
        refused(&web, "web.yaml:1:1: $.", "the rest belongs in the base");
    }
    refused(
        &with("  web-own:\n", "  guard:\n"),
        "web.yaml:8:3: $.rules.guard: ",
        "base.json at $.rules.guard",
    );
    refused(
        &with("  web-next:\n", "  pay-own:\n"),
        "web.yaml:11:3: $.rules.pay-own: ",
        "is already in ",
    );
    refused(
        &with("id: old", "id: ledger"),
        "web.yaml:12:5: $.rules.web-next[0].id: ",
        "$.rules.pay-own[0].id",
    );
    refused(
        &with("id: old", "id: typosquat"),
        "web.yaml:12:5: ",
        "base.json at $.rules.guard[0].id",
    );
}

#[test]
fn what_is_wrong_with_the_whole_is_reported_of_the_part() {
    let with = |from: &str, to: &str| WEB.replacen(from, to, 1);
    for (web, place, why) in [
        (
            with("versions: <v1.2.0", "versoins: <v1.2.0"),
            "web.yaml:14:5: $.rules.web-next[0].versoins: ",
            "did you mean \"versions\"?",
        ),
        (
            with("versions: <v1.2.0", "versions: <x"),
            "web.yaml:14:5: $.rules.web-next[0].versions: ",
            "",
        ),
        (
            with("stage: shadow", "stage: shade"),
            "web.yaml:6:7: $.tenants.web.rollout.stage: ",
            "shade",
        ),
        (
            with("expect: allow}", "expect: yes}"),
            "web.yaml:16:47: $.tests[0].expect: ",
            "",
        ),
        (
            with("allow: [corp", "allow: corp.example/web #["),
            "web.yaml:10:5: $.rules.web-own[0].allow: ",
            "expected a list",
        ),
        (
            with("rules: [web-own]", "rules: [web-own, web-own]"),
            "web.yaml:3:22: $.tenants.web.rules[1]: ",
            "already",
        ),
        (
            format!("{WEB}tests: []\n"),
            "web.yaml:17:1: $.tests: ",
            "already defined at line 15",
        ),
        (
            format!("{WEB}---\n{{}}\n"),
            "web.yaml:18:1: $: ",
            "a second document",
        ),
        ("[]".to_owned(), "web.yaml:1:1: $: ", "expected an object"),
        ("x: [".to_owned(), "web.yaml:", ""),
        (String::new(), "web.yaml: $: ", "it is empty"),
    ] {
        refused(&web, place, why);
    }
}

#[test]
fn the_base_and_the_folder_are_held_to_the_same() {
    let change = |pointer: &str, value: Value| {
        let mut base = base();
        *base.pointer_mut(pointer).unwrap() = value;
        base
    };
    for (base, files, said) in [
        (
            change("/teams/pay/tenants", json!(["web"])),
            &GOOD[..],
            "$.teams.web.tenants[0]: the tenant \"web\" already belongs to the team \"pay\"",
        ),
        (
            change("/teams/pay/tenants", json!(["*"])),
            &GOOD,
            "$.teams.pay.tenants[0]: only the base can configure",
        ),
        (
            change("/teams/pay/tenants", json!([])),
            &GOOD,
            "$.teams.pay.tenants: the list is empty",
        ),
        (
            change("/teams/pay/namespaces", json!(["corp.example/*"])),
            &GOOD,
            "$.teams.pay.namespaces[0]: the namespace \"corp.example/*\": ",
        ),
        (
            change("/teams/pay/namespaces", json!(["corp"])),
            &GOOD,
            "has no dot",
        ),
        (
            change("/teams/web/rules", json!(["guard", "public"])),
            &GOOD,
            "$.teams.web.rules: \"{team}\" must be listed once",
        ),
        (
            change("/teams/web/rules", json!(["gaurd", "{team}"])),
            &GOOD,
            "$.teams.web.rules[0]: no rule set of the base is named \"gaurd\"; did you mean \"guard\"?",
        ),
        // A set of a team's is none of the base's.
        (
            change("/teams/web/rules", json!(["pay-own", "{team}"])),
            &GOOD,
            "no rule set of the base is named \"pay-own\"",
        ),
        (
            change("/tenants/*/rules", json!(["pay-own"])),
            &GOOD,
            "no rule set of the base is named \"pay-own\"",
        ),
        (
            change("/tenants", json!({"pay": {}})),
            &GOOD,
            "$.tenants.pay: the tenant \"pay\" belongs to the team \"pay\"; the base configures its tenants in",
        ),
        (
            change("/teams/pay", json!({"tenants": ["pay"]})),
            &GOOD,
            "$.teams.pay: missing: namespaces",
        ),
        (
            change("/default", json!("maybe")),
            &GOOD,
            "base.json:7:3: $.default: ",
        ),
        (change("/teams", json!(null)), &GOOD, "$: missing: `teams`"),
        (
            base(),
            &GOOD[..1],
            "$.teams.pay: the file teams/pay.json is missing",
        ),
        (
            base(),
            &[GOOD[0], GOOD[1], ("teams/ops.json", "{}")],
            "ops.json:1:1: $: the base has no team \"ops\"",
        ),
        (
            base(),
            &[GOOD[0], GOOD[1], ("teams/pay.yaml", "{}")],
            "the team \"pay\" already has the file ",
        ),
        (
            base(),
            &[GOOD[0], GOOD[1], ("teams/pay.jsno", "{}")],
            "pay.jsno: $: not a team's file",
        ),
        (
            base(),
            &[GOOD[0], GOOD[1], ("base.yaml", "{}")],
            "base.yaml: $: the base is already in ",
        ),
        (
            base(),
            &[GOOD[0], ("teams/pay.json", "{},")],
            "pay.json:1:3: $: ",
        ),
    ] {
        let output = Folder::new(&base, files).build(&[]);
        let reported = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{reported}");
        assert!(reported.contains(said), "no {said} in\n{reported}");
        assert_eq!(stdout(&output), "");
    }
    let nowhere = modgate(["policy", "build", "no/such/folder"], b"");
    assert!(stderr(&nowhere).contains("there is no base.json"));
}

#[track_caller]
fn diff(old: &Value, new: &Value, status: i32) -> (Value, String) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, policy: &Value| {
        let file = dir.path().join(name);
        fs::write(&file, policy.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (old, new) = (write("old.json", old), write("new.json", new));
    let output = modgate(["policy", "diff", "--json", &old, &new], b"");
    assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (json, stdout(&modgate(["policy", "diff", &old, &new], b"")))
}

#[test]
fn a_diff_says_in_words_what_changes_for_which_tenants_and_what_comes_of_it() {
    let old = built(&base(), &GOOD);
    let (same, text) = diff(&old, &old, 0);
    assert_eq!(
        (&same["equal"], &same["tenants"]),
        (&true.into(), &json!([]))
    );
    assert_eq!(text, "The policies are the same.\n");

    let mut new = old.clone();
    new["version"] = json!("8");
    new["contact"] = json!("#go");
    new["rules"]["guard"] = json!([
        {"id": "new", "deny": ["golang.org/x/net"], "versions": "<0.38.0"},
        {"id": "typosquat", "deny": ["github.com/boltdb-go/bolt", "golang.org/x/tools"], "reason": "no"},
    ]);
    new["rules"]["pay-own"][0]["min_age"] = json!("7d");
    new["tenants"]["web"]["rollout"]["stage"] = json!("enforce");
    new["tenants"]["web"]["rules"] = json!(["public", "guard", "web-own"]);
    new["routes"] = json!([
        {"id": "corp", "modules": ["corp.example"], "backend": "main"},
        {"id": "all", "backend": "main"},
    ]);
    new["tenants"].as_object_mut().unwrap().remove("web-ci");
    new["tenants"]["ops"] = json!({"rules": ["public"]});
    let (reported, text) = diff(&old, &new, 1);
    let wanted = [
        "old  ",
        "all tenants",
        "contact: added: \"#go\"",
        "routes: corp added: backend \"main\", modules \"corp.example\"",
        "version: \"7\" → \"8\"",
        "tenant *",
        "rules: guard/new added: deny \"golang.org/x/net\", versions \"<0.38.0\"",
        "rules: guard/typosquat deny +\"golang.org/x/tools\"; reason nothing → \"no\"",
        "tenant web",
        "rules: public/public moved: it is now the first",
        "rollout: stage \"shadow\" → \"enforce\"",
        "candidate: guard/new added",
        "tenant web-ci",
        "tenant: removed: rules \"guard\" \"public\"",
        "verdict: golang.org: allow by public/public → deny by default",
        "tenant ops",
        "tenant: added: rules \"public\"",
        "verdict: golang.org: deny by default → allow by public/public",
        "tenant pay",
        "rules: pay-own/ledger min_age nothing → \"7d\"",
        "verdict: corp.example/pay/ledger, a new version: allow by pay-own/ledger → deny by pay-own/ledger",
    ];
    for words in wanted {
        assert!(text.contains(words), "no {words} in\n{text}");
    }
    assert!(
        text.contains("verdict: golang.org/x/tools: allow by public/public → "),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    let web = reported["tenants"].as_array().unwrap().iter();
    let mut web = web.filter(|group| group["tenants"] == json!(["web"]));
    assert!(web.next().is_some(), "{reported}");

    // What is said of several tenants is said once.
    let mut guarded = old.clone();
    guarded["default"] = json!("allow");
    let (reported, text) = diff(&old, &guarded, 1);
    assert_eq!(reported["everybody"][0]["keys"][0]["new"], "allow");
    assert!(text.contains("default: \"deny\" → \"allow\""), "{text}");
    // Only a version: nothing changes for anybody.
    let mut named = old.clone();
    named["version"] = json!("9");
    let (reported, _) = diff(&old, &named, 1);
    assert_eq!(reported["tenants"], json!([]));
    // Written otherwise, the same.
    let mut nulls = old.clone();
    nulls["contact"] = Value::Null;
    diff(&old, &nulls, 0);

    let bad = modgate(
        ["policy", "diff", "-", "missing.json"],
        old.to_string().as_bytes(),
    );
    assert_eq!(bad.status.code(), Some(2));
    assert!(stderr(&bad).contains("missing.json"));
    let refused = modgate(["policy", "diff", "-", "-"], b"{}");
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn versions_and_routes_turn_verdicts_too() {
    let old = json!({
        "version": "1", "default": "deny", "tenants": {"a": {"rules": ["r"]}, "b": {"rules": ["r"]}},
        "rules": {"r": [
            {"id": "old", "deny": ["golang.org/x/crypto"], "versions": "<0.31.0"},
            {"id": "all", "allow": ["*", "re:corp\\.example/.*"]},
        ]},
        "backends": {"main": {"cluster": "c"}},
        "routes": [{"id": "all", "backend": "main"}],
    });
    let mut new = old.clone();
    new["rules"]["r"][0]["versions"] = json!("<0.32.0");
    let (reported, text) = diff(&old, &new, 1);
    assert_eq!(
        reported["tenants"].as_array().unwrap().len(),
        1,
        "{reported}"
    );
    assert_eq!(reported["tenants"][0]["tenants"], json!(["a", "b"]));
    let turns = reported["tenants"][0]["verdicts"].as_array().unwrap();
    assert_eq!(turns.len(), 1, "{reported}");
    assert_eq!(turns[0]["version"], "v0.31.0");
    assert!(
        text.contains("verdict: golang.org/x/crypto@v0.31.0: allow by r/all → deny by r/old"),
        "{text}"
    );
    assert!(text.contains("\ntenants a, b\n") && text.contains("1 pattern was not compared"));

    let mut closed = old.clone();
    closed["rules"]["r"][0]["go_mod"] = json!("deny");
    let (reported, text) = diff(&old, &closed, 1);
    let turns = reported["tenants"][0]["verdicts"].as_array().unwrap();
    assert_eq!(turns.len(), 1, "{reported}");
    assert_eq!(turns[0]["is_go_mod"], true);
    assert!(
        text.contains(
            "verdict: golang.org/x/crypto@v0.31.0-0, the go.mod file: allow by r/all → deny by r/old"
        ),
        "{text}"
    );

    let mut unrouted = old.clone();
    unrouted["routes"][0]["modules"] = json!(["golang.org"]);
    let (_, text) = diff(&old, &unrouted, 1);
    assert!(
        text.contains("verdict: any.example (of *): allow by r/all → deny by route"),
        "{text}"
    );
}
