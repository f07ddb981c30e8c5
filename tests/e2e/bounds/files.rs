//! Files that are hashed.

use modgate_harness::forge::{self, Forge, MODULE, Style, VERSION};
use serde_json::json;

use super::counted::{Counted, MOST, MOST_INFLATED};

/// The zip of as many files as there can be, with names of this many bytes in the module.
fn zip(name: impl Fn(usize) -> String, content: &[u8], most: usize) -> Vec<u8> {
    const INDEX: usize = 16 << 20;
    let data = forge::deflate(content, 9);
    let mut zip = Forge::empty();
    let mut taken = 0;
    for n in 0..most {
        let name = name(n);
        taken += 96 + name.len();
        if taken > INDEX {
            break;
        }
        zip.add_data(&forge::name(&name), content, data.clone(), Style::Streamed);
    }
    zip.lay_out();
    zip.bytes()
}

/// Half of the letters in upper case, another half for each number, so that comparing has to fold them.
fn mixed(n: usize, width: usize) -> String {
    let mut letters: String = (0..width)
        .map(|bit| if n >> (bit % 16) & 1 == 0 { 'a' } else { 'A' })
        .collect();
    letters.push_str(&format!("{n:06}"));
    letters
}

/// What a cluster's buffer has of an answer at a time, as envoy/envoy.yaml sets it.
const CHUNK: usize = 16 << 10;

#[test]
fn a_zip_is_hashed_within_the_bound() {
    let checked = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "integrity": {"mode": "enforce", "first_seen": ["*"], "on_unknown": "refuse"},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let random = |n: usize| (n * 7_919) % 1_000_003;
    let path = format!("/{MODULE}/@v/{VERSION}.zip");
    let rows = [
        (
            "many files",
            zip(|n| format!("{:06}", random(n)), b"", 65_000),
        ),
        (
            "many files whose names differ by case",
            zip(|n| mixed(random(n), 90), b"", 65_000),
        ),
        (
            "long names",
            zip(
                |n| format!("{}{:06}", "a".repeat(4_000), random(n)),
                b"",
                1_000_000,
            ),
        ),
        (
            "long names that differ by case",
            zip(|n| mixed(random(n), 4_000), b"", 65_000),
        ),
        (
            "what inflates most",
            zip(|n| n.to_string(), &vec![0; 32 << 20], 2),
        ),
    ];
    table_rows::check(rows, |(what, zip)| {
        let mut counted = Counted::start(&checked);
        let answer = counted.get(&path, &[], &zip, CHUNK);
        assert!(answer.status == 200 && answer.body == zip, "{what}");
        let most = if what == "what inflates most" {
            MOST_INFLATED
        } else {
            MOST
        };
        counted.assert_within(what, most);
    });
}

#[test]
fn a_go_mod_is_hashed_within_the_bound() {
    let checked = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "integrity": {"mode": "enforce", "first_seen": ["*"], "on_unknown": "refuse"},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let mut counted = Counted::start(&checked);
    let path = format!("/{MODULE}/@v/{VERSION}.mod");
    let go_mod = vec![b'\n'; 16 << 20];
    assert!(counted.get(&path, &[], &go_mod, CHUNK).body == go_mod);
    counted.assert_bounded("a go.mod");
}
