//! The engine against the real `golang.org/x/mod`: generated and mutated names, versions, patterns
//! and tiles, on every one of which both must agree.

mod sumdb;

use fastrand::Rng;
use modgate_go::gomod::retract::{Interval, retractions};
use modgate_go::gomod::{
    GoSum, check_path, check_query, escape_into, is_canonical_for, semver, unescape,
};
use modgate_go::goproxy::SumdbCall;
use modgate_harness::seed::seed;
use modgate_harness::xmod;
use modgate_policy::model::VersionSet;
use modgate_policy::pattern::{Meaning, PatternSetBuilder};
use serde_json::{Value, json};

/// How many inputs of each kind are compared.
const INPUTS: usize = 60_000;

const PATHS: &[&str] = &[
    "github.com/!burnt!sushi/toml",
    "golang.org/x/text",
    "gopkg.in/yaml.v3",
    "gopkg.in/check.v1",
    "gopkg.in/foo/bar.v2-unstable",
    "github.com/cespare/xxhash/v2",
    "example.com/a~b/v10",
    "k8s.io/api",
    "corp.example/team/lib-1_x",
    "a.b",
    "example.com/con.txt/com1",
    "golang.org/toolchain",
    "example.com/prog~1",
];

const VERSIONS: &[&str] = &[
    "v1.2.3",
    "v0.0.0-20160208181325-20d25e280405",
    "v1.2.3-pre.0.20160208181325-20d25e280405",
    "v2.0.0+incompatible",
    "v1.0.0-!r!c1",
    "v0.0.1-go1.26.0.linux-amd64",
    "master",
    "e9ce3ab",
    "v1",
    "v1.2",
    "feature-x@2",
    "v1.0.0+meta.01",
    "v1.0.0-01",
];

const PATTERNS: &[&str] = &[
    "github.com/*/toml",
    "*.example/team",
    "corp.example/[a-t]*",
    "gopkg.in/yaml.v?",
    "golang.org/x",
    "*",
    "?.b/*-[0-9]",
    "example.com/*a*b*/[^x]*",
];

const TILES: &[&str] = &[
    "tile/8/0/001",
    "tile/8/0/x001/x234/067",
    "tile/8/1/x123/067.p/1",
    "tile/8/data/000.p/255",
    "tile/8/7/000.p/127",
    "tile/8/2/x549/x755/x813/887",
    "tile/30/63/999",
];

/// The characters that mutation puts in: the ones that mean something, and some of every class.
const ALPHABET: &str = "!!//..--__~~@%+v012x9azAZC *?[]^\\;:&='(),#$\"<>|{}`\u{7f}\0\té世";

fn mutated(rng: &mut Rng, corpus: &[&str]) -> String {
    let mut text: Vec<char> = corpus[rng.usize(..corpus.len())].chars().collect();
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    for _ in 0..rng.usize(..4) {
        let at = rng.usize(..=text.len());
        let any = alphabet[rng.usize(..alphabet.len())];
        match rng.u8(..5) {
            0 => text.insert(at, any),
            1 if at < text.len() => text[at] = any,
            2 if at < text.len() => drop(text.remove(at)),
            3 => {
                let other: Vec<char> = corpus[rng.usize(..corpus.len())].chars().collect();
                let from = rng.usize(..other.len());
                text.splice(at.., other[from..].iter().copied());
            }
            _ if at < text.len() => {
                let (a, b) = (text[at], at);
                text.insert(b, a);
            }
            _ => {}
        }
    }
    text.into_iter().collect()
}

/// What the engine makes of a question, in the form in which the Go program answers.
fn engine(question: &Value) -> Value {
    let a = question["A"].as_str().unwrap();
    let b = question["B"].as_str().unwrap();
    let both = |name: &str| {
        let mut in_url = String::new();
        escape_into(name, &mut in_url);
        json!({"OK": true, "Value": format!("{name} {in_url}")})
    };
    let verdict = |ok: bool| json!({"OK": ok, "Value": ""});
    match question["Kind"].as_str().unwrap() {
        "path" => match unescape(a).and_then(|path| check_path(&path).map(|()| path)) {
            Ok(path) => both(&path),
            Err(_) => verdict(false),
        },
        "version" => match unescape(a).and_then(|query| check_query(&query).map(|()| query)) {
            Ok(query) => both(&query),
            Err(_) => verdict(false),
        },
        "canonical" => verdict(check_path(a).is_ok() && is_canonical_for(a, b).is_ok()),
        "pattern" => {
            let mut builder = PatternSetBuilder::default();
            // A pattern that is refused must be one that matches nothing in Go either.
            let accepted = builder.add(a, 0, Meaning::default()).is_ok();
            verdict(accepted && builder.build().first_match(b).is_some())
        }
        "tile" => verdict(SumdbCall::parse(a).is_ok()),
        "compare" => {
            let (a, b) = (semver::parse(a).unwrap(), semver::parse(b).unwrap());
            json!({"OK": true, "Value": (a.compare(&b) as i8).to_string()})
        }
        "pseudo" => verdict(semver::parse(a).is_some_and(|version| version.is_pseudo())),
        "within" => {
            let constraint = VersionSet::parse(a).unwrap();
            verdict(constraint.contains(&semver::parse(b).unwrap()))
        }
        "retract" => match retractions(a.as_bytes()) {
            Ok(intervals) => {
                let lines = intervals.iter().map(Interval::bounds);
                let lines: Vec<String> = lines.map(|(low, high)| format!("{low} {high}")).collect();
                json!({"OK": true, "Value": lines.join("\n")})
            }
            Err(_) => verdict(false),
        },
        other => unreachable!("{other}"),
    }
}

fn is_meant(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/*?[]^-._~".contains(c)
}

fn slash_in_class(pattern: &str) -> bool {
    let classes = pattern.split('[').skip(1);
    classes.into_iter().any(|rest| {
        rest.split(']')
            .next()
            .is_some_and(|class| class.contains('/'))
    })
}

/// A version that Go knows as one, near others.
fn any_version(rng: &mut Rng) -> String {
    loop {
        let number =
            |rng: &mut Rng| ["0", "1", "2", "9", "10", "99999999999999999999"][rng.usize(..6)];
        let (major, minor, patch) = (number(rng), number(rng), number(rng));
        let prereleases = [
            "",
            "",
            "-0",
            "-1",
            "-10",
            "-rc.1",
            "-rc.1.0",
            "-RC",
            "-pre.0.20160208181325-20d25e280405",
            "-0.20160208181325-20d25e280405",
            "-20160208181325-20d25e280405",
        ];
        let prerelease = prereleases[rng.usize(..prereleases.len())];
        let build = ["", "", "+incompatible"][rng.usize(..3)];
        let version = format!("v{major}.{minor}.{patch}{prerelease}{build}");
        let version = match rng.u8(..8) {
            0 => mutated(rng, &[&version]),
            _ => version,
        };
        if semver::parse(&version).is_some_and(|parts| parts.patch.is_some()) {
            return version;
        }
    }
}

/// A constraint that the engine takes.
fn any_constraint(rng: &mut Rng) -> String {
    loop {
        let mut text = String::new();
        for i in 0..rng.usize(1..5) {
            if i > 0 {
                text.push_str([" ", " || "][rng.usize(..2)]);
            }
            let operator = ["<", "<=", ">", ">=", "=", "!=", ""][rng.usize(..7)];
            let version = any_version(rng);
            let shorter = version.split('.').take(rng.usize(1..3)).collect::<Vec<_>>();
            match rng.u8(..4) {
                0 => text.push_str(&shorter.join(".")),
                _ => text.push_str(&format!("{operator}{version}")),
            }
        }
        if VersionSet::parse(&text).is_ok() {
            return text;
        }
    }
}

/// A go.mod with retractions, not always well written.
fn any_go_mod(rng: &mut Rng) -> String {
    let tokens = [
        "retract",
        "retract",
        "(",
        ")",
        "[",
        "]",
        ",",
        "\n",
        "\n",
        "v1.0.0",
        "v1.2.0",
        "v1.2.0",
        "v2.0.0-pre",
        "\"v1.3.0\"",
        "`v1`",
        "// retract v9",
        "module",
        "require",
        "a.b/c",
        "=>",
        "'x'",
        "\r",
        "x,y",
        "v1.0.0//",
        "\"",
        "/*",
        "{",
        "\u{a0}",
        "\t",
        "é",
    ];
    let lines = [
        "retract v1.0.0\n",
        "retract [v1.0.0, v1.2.0] // both\n",
        "retract (\n\tv1.0.0\n\t[v1.3.0, v1.4.0]\n)\n",
        "module a.b/c\n",
    ];
    let mut text = String::new();
    for _ in 0..rng.usize(1..12) {
        match rng.u8(..3) {
            0 => text.push_str(lines[rng.usize(..lines.len())]),
            _ => text.push_str(tokens[rng.usize(..tokens.len())]),
        }
        text.push_str([" ", "", "\n"][rng.usize(..3)]);
    }
    text
}

fn questions(rng: &mut Rng) -> Vec<Value> {
    let mut all = Vec::with_capacity(9 * INPUTS);
    let question = |kind: &str, a: String, b: String| json!({"Kind": kind, "A": a, "B": b});
    for _ in 0..INPUTS {
        let (version, other) = (any_version(rng), any_version(rng));
        all.push(question("compare", version.clone(), other));
        let constraint = any_constraint(rng);
        all.push(question("within", constraint, version));
        all.push(question("pseudo", mutated(rng, VERSIONS), String::new()));
        all.push(question("retract", any_go_mod(rng), String::new()));
        all.push(question("path", mutated(rng, PATHS), String::new()));
        all.push(question("version", mutated(rng, VERSIONS), String::new()));
        let path = mutated(rng, PATHS).replace('!', "");
        let version = mutated(rng, VERSIONS).replace('!', "");
        all.push(question("canonical", path, version));
        // What a policy's author cannot have meant is refused though Go lets it stand: characters
        // that no module path has, and a slash in a class.
        let pattern = mutated(rng, PATTERNS).replace(|c| !is_meant(c), "");
        let pattern = if slash_in_class(&pattern) {
            "*".to_owned()
        } else {
            pattern
        };
        let target = loop {
            let path = mutated(rng, PATHS).replace('!', "");
            if check_path(&path).is_ok() {
                break path;
            }
        };
        all.push(question("pattern", pattern, target));
        all.push(question(
            "tile",
            format!("tile/{}", mutated(rng, TILES).replacen("tile/", "", 1)),
            String::new(),
        ));
    }
    all
}

#[test]
fn the_engine_and_x_mod_read_every_name_alike() {
    let seed = seed();
    let questions = questions(&mut Rng::with_seed(seed));

    let (mut accepted, mut disagreements) = (0, Vec::new());
    for (question, go) in questions.iter().zip(xmod::ask(&questions)) {
        let ours = engine(question);
        // A go.mod that go cannot read for another directive's sake is none of ours to judge.
        if question["Kind"] == "retract" && go["OK"] == false {
            continue;
        }
        accepted += usize::from(go["OK"] == true);
        if go != ours {
            disagreements.push(format!("{question}: x/mod says {go}, the engine {ours}"));
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} of {} disagree (MODGATE_SEED={seed}), among them:\n{}",
        disagreements.len(),
        questions.len(),
        disagreements[..disagreements.len().min(10)].join("\n")
    );
    // Both must have had something to accept, or nothing was compared.
    assert!(
        accepted > questions.len() / 10,
        "only {accepted} were accepted"
    );
    println!(
        "{} inputs, {accepted} accepted, no disagreement",
        questions.len()
    );
}

/// Lines of go.sum files, good ones and such as Go gives up at, with any spaces between their fields.
#[test]
fn go_sum_files_are_read_as_the_go_command_reads_them() {
    const HASH: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const EMPTY: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";
    const SPACES: [&str; 9] = [
        " ", "  ", "\t", " \t ", "\r", "\u{b}", "\u{a0}", "\u{85}", "\u{3000}",
    ];
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut space = |most: usize| -> String {
        let count = rng.usize(..=most);
        (0..count)
            .map(|_| SPACES[rng.usize(..SPACES.len())])
            .collect()
    };
    let mut dice = Rng::with_seed(seed ^ 1);
    let texts: Vec<String> = (0..20_000)
        .map(|_| {
            let mut text = String::new();
            for n in 0..dice.usize(..6) {
                let hash = if dice.u8(..5) == 0 { EMPTY } else { HASH };
                let version = format!("v1.{n}.0{}", if dice.bool() { "/go.mod" } else { "" });
                let mut fields = vec!["a.example/b", &version, hash];
                match dice.u8(..24) {
                    0 => fields.truncate(dice.usize(..3)),
                    1 => fields.push("more"),
                    _ => {}
                }
                text.push_str(&space(2));
                for field in fields {
                    text.push_str(field);
                    text.push_str(&format!(
                        "{}{}",
                        SPACES[dice.usize(..SPACES.len())],
                        space(2)
                    ));
                }
                text.push_str(["\n", "\r\n", "\n\n"][dice.usize(..3)]);
            }
            text
        })
        .collect();
    let questions: Vec<Value> = texts
        .iter()
        .map(|text| json!({"Kind": "gosum", "A": text}))
        .collect();
    let (mut read, mut refused) = (0, 0);
    for (text, theirs) in texts.iter().zip(xmod::ask(&questions)) {
        let ours = match GoSum::parse(text) {
            Ok(sums) => {
                read += 1;
                let mut lines: Vec<String> = sums.lines().map(|line| line.to_string()).collect();
                lines.sort();
                json!({"OK": true, "Value": lines.join("\n")})
            }
            Err(error) => {
                refused += 1;
                json!({"OK": false, "Value": error.line.to_string()})
            }
        };
        assert_eq!(ours, theirs, "{text:?} (seed {seed})");
    }
    assert!(read > 5_000 && refused > 1_000, "{read} {refused}");
}
