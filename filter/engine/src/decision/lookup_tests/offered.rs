//! What a list offers may be had.

use super::*;

/// So many patches of each of so many minor versions, the newest of each line a day old.
fn many(minors: u64, patches: u64) -> Backend {
    let mut versions = Vec::new();
    for (minor, patch) in (0..minors).flat_map(|m| (0..patches).map(move |p| (m, p))) {
        let age = if patch + 1 == patches { 1 } else { 30 };
        versions.push((format!("v1.{minor}.{patch}"), age));
    }
    let versions: Vec<(&str, u64)> = versions.iter().map(|(v, age)| (v.as_str(), *age)).collect();
    Backend::with(&versions)
}

fn listed(backend: &Backend) -> Vec<String> {
    let answer = backend.get(&week_for_all(), "list");
    let lines = answer.strip_prefix("200 ").unwrap().lines();
    lines.map(ToOwned::to_owned).collect()
}

#[test]
fn the_highest_allowed_version_of_each_line_is_listed() {
    let backend = Backend::with(&[
        ("v1.4.7", 300),
        ("v1.4.8", 90),
        ("v1.4.9", 1),
        ("v1.5.0", 30),
        ("v1.5.1", 20),
        ("v1.6.0-rc.1", 20),
        ("v1.6.0-rc.2", 2),
        ("v2.0.0+incompatible", 90),
        ("v2.0.1+incompatible", 3),
    ]);
    assert_eq!(
        listed(&backend),
        [
            "v1.4.7",
            "v1.4.8",
            "v1.5.0",
            "v1.5.1",
            "v1.6.0-rc.1",
            "v2.0.0+incompatible"
        ]
    );
    assert_eq!(*backend.rounds.borrow(), [1, 9]);
    assert!(backend.warned.borrow().is_empty());
    // What was learned holds for the next list, and for the files of these versions.
    backend.requested();
    assert_eq!(listed(&backend).len(), 6);
    for file in ["v1.4.8.zip", "v1.4.9.info"] {
        backend.get(&week_for_all(), file);
    }
    assert_eq!(backend.requested(), ["list"]);
}

#[test]
fn a_quick_backend_gives_the_ages_of_a_whole_list() {
    let mut backend = many(40, 10);
    backend.round_takes = Duration::from_millis(50);
    let versions = listed(&backend);
    assert_eq!(versions.len(), 40 * 9);
    // The list, 40 lines, their next ones with the rest, and the newest one's go.mod.
    assert_eq!(*backend.rounds.borrow(), [1, 40, 64, 64, 64, 64, 64, 40, 1]);
    assert!(backend.warned.borrow().is_empty());
    backend.requested();
    assert_eq!(listed(&backend), versions);
    assert_eq!(backend.requested(), ["list"]);
}

#[test]
fn a_slow_backend_is_queried_only_for_versions_that_go_picks() {
    let mut backend = many(40, 10);
    backend.round_takes = Duration::from_secs(3);
    let versions = listed(&backend);
    let highest: Vec<String> = (0..40).map(|minor| format!("v1.{minor}.8")).collect();
    assert_eq!(versions, highest);
    assert_eq!(*backend.rounds.borrow(), [1, 40, 40, 1]);
    let warned = backend.warned.borrow_mut().pop().unwrap();
    assert!(
        warned.contains("320 versions are left out of the list of corp.example/lib"),
        "{warned}"
    );
    // And not again and again.
    backend.requested();
    assert_eq!(listed(&backend), highest);
    assert_eq!(backend.requested(), ["list"]);
}

#[test]
fn versions_beyond_the_lookup_limit_are_not_listed() {
    let versions: Vec<String> = (0..700).map(|i| format!("v1.{i}.0")).collect();
    let versions: Vec<(&str, u64)> = versions.iter().map(|v| (v.as_str(), 30)).collect();
    let backend = Backend::with(&versions);
    let first = listed(&backend);
    assert_eq!(first.len(), 512);
    assert_eq!(first[0], "v1.188.0", "the highest");
    assert_eq!(backend.requested().len(), 1 + 512);
    assert_eq!(backend.warned.borrow().len(), 1);
    // What is known already is not asked again, so the next list is whole.
    assert_eq!(listed(&backend).len(), 700);
    assert_eq!(backend.requested().len(), 1 + 188);
}

#[test]
fn toolchain_lines_are_go_releases() {
    let go = |version: &str, platform: &str| format!("v0.0.1-go{version}.{platform}");
    let mut backend = Backend::default();
    let mut list = String::new();
    for (version, days) in [
        ("1.26.9", 40),
        ("1.27rc1", 120),
        ("1.27.0", 90),
        ("1.27.1", 45),
        ("1.27.2", 2),
        ("1.26.10", 2),
    ] {
        for platform in ["darwin-arm64", "linux-amd64"] {
            let version = go(version, platform);
            list += &format!("{version}\n");
            let time = jiff::Timestamp::from_second((NOW - days * DAY) as i64).unwrap();
            let path = format!("/base/golang.org/toolchain/@v/{version}.info");
            let info = info(&version, &time.to_string());
            backend.files.insert(path, (200, info));
        }
    }
    let path = "/base/golang.org/toolchain/@v/list".to_owned();
    backend.files.insert(path, (200, list));
    let policy = week_for_all();
    let get = |file: &str| {
        let path = format!("/golang.org/toolchain/@v/{file}");
        let headers = [
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), path.into_bytes()),
        ];
        match backend
            .run_lookup(&policy, evaluate(&policy, &headers, &()))
            .action
        {
            Decision::LocalReply(reply) => reply.body,
            action => format!("{action:?}"),
        }
    };
    let want = ["1.26.9", "1.27rc1", "1.27.0", "1.27.1"].map(|v| go(v, "linux-amd64") + "\n");
    assert_eq!(get("list"), want.concat());
    assert_eq!(*backend.rounds.borrow(), [1, 6]);
    // Another platform's are offered where their own ages are known, and that of the one that go asks about.
    for version in ["1.27.1", "1.27.2"] {
        get(&format!("{}.zip", go(version, "darwin-arm64")));
    }
    let list = get("list");
    assert!(list.contains(&go("1.27.1", "darwin-arm64")), "{list}");
    assert!(!list.contains("go1.27.2"), "{list}");
    assert!(backend.warned.borrow().is_empty());
}

#[test]
fn a_429_stops_further_queries() {
    let mut backend = Backend::with(&[("v1.0.0", 30), ("v1.1.0", 30), ("v1.2.0", 30)]);
    for minor in 0..3 {
        backend.fail(&format!("v1.{minor}.0.info"), 429, "slow down");
    }
    assert_eq!(backend.get(&week_for_all(), "list"), "429 slow down");
    let time = "2026-01-01T00:00:00Z";
    backend.put("v1.1.0.info", &info("v1.1.0", time));
    // Without the newest the Go command would take an older one, and nobody would know.
    assert_eq!(backend.get(&week_for_all(), "list"), "429 slow down");
    // One that a backend does not serve is not offered.
    backend.fail("v1.2.0.info", 403, "blocked");
    backend.fail("v1.0.0.info", 404, "gone");
    assert_eq!(backend.get(&week_for_all(), "list"), "200 v1.1.0\n");
}

#[test]
fn a_failed_age_of_the_newest_version_fails_the_list() {
    let mut backend = Backend::with(&[("v1.0.0", 30), ("v1.1.0", 30), ("v1.2.0", 30)]);
    backend.fail("v1.2.0.info", 500, "down");
    backend.put("@latest", &info("v1.2.0", "2026-01-01T00:00:00Z"));
    for file in ["list", "@latest"] {
        assert_eq!(backend.get(&week_for_all(), file), "500 down", "{file}");
    }
    // An older one is left out, which the log says.
    let time = "2026-01-01T00:00:00Z";
    backend.put("v1.2.0.info", &info("v1.2.0", time));
    backend.put("v1.1.0.info", "<html>");
    backend.notes.borrow_mut().clear();
    assert_eq!(backend.get(&week_for_all(), "list"), "200 v1.0.0\nv1.2.0\n");
    let warned = backend.warned.borrow();
    let said = warned.last().unwrap();
    assert!(
        said.contains("1 versions are left out of the list"),
        "{said}"
    );
    assert!(said.contains("failed to tell their ages"), "{said}");
}

#[test]
fn every_listed_version_is_served() {
    let versions = [
        "v0.9.0",
        "v0.9.1",
        "v1.0.0-rc.1",
        "v1.0.0",
        "v1.0.1",
        "v1.1.0",
        "v1.1.1",
        "v1.2.0-beta.1",
        "v1.2.0",
        "v2.0.0+incompatible",
    ];
    let policy = policy(json!([
        {"id": "urgent", "allow": ["corp.example/lib"], "versions": "v1.2.0"},
        {"id": "cve", "deny": ["corp.example/lib"], "versions": "=v1.1.1"},
        {"id": "fresh", "deny": ["corp.example/lib"], "versions": "v0", "min_age": "20d"},
        {"id": "week", "allow": ["*"], "min_age": "7d"},
    ]));
    for seed in 0..300_u64 {
        let age = |i: usize| {
            (seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .rotate_left(i as u32 * 5))
                % 30
        };
        let aged: Vec<(&str, u64)> = versions
            .iter()
            .enumerate()
            .map(|(i, v)| (*v, age(i)))
            .collect();
        let backend = Backend::with(&aged);
        let answer = backend.get(&policy, "list");
        for (version, _) in &aged {
            let is_offered = answer
                .lines()
                .any(|line| line.trim_start_matches("200 ") == *version);
            let zip = backend.get(&policy, &format!("{version}.zip"));
            assert_eq!(
                is_offered,
                zip.starts_with("forward"),
                "{version} of {aged:?}: {answer}"
            );
        }
    }
}
