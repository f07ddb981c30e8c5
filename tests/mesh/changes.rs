//! Policies and keys that change while requests run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use modgate_harness::ports::free_port;
use modgate_mesh::{Deploy, Mesh, Pod, Proxy};

use crate::support::{Gateway, LIST, Parts, answers, ask, local, policy, status};

/// How often the policy changes under load.
const CHANGES: u32 = 100;

/// Every so many changes of the policy, the key changes, too.
const A_KEY: u32 = 5;

/// How long a change may take from kubectl's end until every worker has it. It takes a fraction of a second; the
/// machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

fn version(proxy: &Proxy, version: u32) -> bool {
    proxy.figures().sum(
        "modgate_policy_info",
        &[("policy_version", &version.to_string())],
    ) == 1.0
}

#[test]
fn a_hundred_changes_of_policy_and_keys_fail_no_request() {
    let Gateway {
        address,
        deploy,
        proxy,
        mesh,
        parts: _parts,
    } = Gateway::serving("*");
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let answer = ask(address, LIST, None);
                        asked.fetch_add(1, Ordering::Relaxed);
                        if answer.as_ref().is_none_or(|answer| answer.status != 200) {
                            failed.push(answer);
                        }
                    }
                    failed
                })
            })
            .collect();
        let mut keys = 0;
        for number in 2..=CHANGES + 1 {
            let more: &[&str] = if number % A_KEY == 0 {
                &["--rotate-key"]
            } else {
                &[]
            };
            keys += more.len();
            deploy.again(&policy(number), more);
            mesh.apply_folder(&deploy.folder());
        }
        let start = Instant::now();
        while !version(&proxy, CHANGES + 1) && start.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        let failed: Vec<_> = clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        let asked = asked.load(Ordering::Relaxed);
        println!(
            "{CHANGES} changes, {keys} of the key: {asked} requests, {} failed",
            failed.len()
        );
        assert!(
            failed.is_empty(),
            "{} of {asked} failed: {:?}",
            failed.len(),
            &failed[..failed.len().min(3)]
        );
        assert!(asked > 1000, "only {asked} requests");
        assert!(
            version(&proxy, CHANGES + 1),
            "the last policy has not come:\n{}",
            proxy.log()
        );
    });
}

#[test]
fn a_change_comes_to_every_proxy() {
    let (parts, mesh) = (Parts::start(), Mesh::start());
    let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
    // One Gateway is one port, and all of these proxies are on one machine: a deployment for each.
    let deploys: Vec<Deploy> = ports
        .iter()
        .enumerate()
        .map(|(at, &port)| {
            let mut arguments = parts.at_gateway(port);
            let selector = arguments
                .iter_mut()
                .find(|argument| *argument == "istio=gateway");
            *selector.unwrap() = format!("istio=gateway-{at}");
            arguments.extend(["--name".to_owned(), format!("modgate-{at}")]);
            Deploy::new(&policy(1), arguments)
        })
        .collect();
    let mut proxies: Vec<Proxy> = Vec::new();
    for (at, deploy) in deploys.iter().enumerate() {
        mesh.apply_folder(&deploy.folder());
        let name = format!("gateway-{at}");
        let pod =
            Pod::gateway(&name, ("istio", &name)).patched(&deploy.file("extra/pod-template.yaml"));
        let mut proxy = mesh.run(&pod);
        answers(&mut proxy, local(ports[at]), LIST, Some(200));
        proxies.push(proxy);
    }
    let mut changed = policy(2);
    changed["rules"]["org"][0]["deny"] = serde_json::json!(["example.org/words"]);
    let all: Vec<String> = deploys
        .iter()
        .map(|deploy| {
            deploy.again(&changed, &[]);
            deploy.text("3-filter.yaml")
        })
        .collect();
    mesh.apply(&all.join("---\n"));
    let start = Instant::now();
    let mut first = None;
    let mut old = ports.clone();
    while !old.is_empty() && start.elapsed() < LIMIT {
        // Each worker has a VM of its own: several connections ask both.
        old.retain(|&port| (0..8).any(|_| status(local(port), LIST) != Some(403)));
        if old.len() < ports.len() {
            first.get_or_insert(start.elapsed());
        }
    }
    println!(
        "from kubectl's end to the first changed proxy {first:?}, to the last {:?}",
        start.elapsed()
    );
    assert!(old.is_empty(), "no change after {LIMIT:?} at {old:?}");
}

#[test]
fn a_bad_policy_leaves_the_last_good_one_and_a_proxy_that_starts_with_it_answers_nothing() {
    let Gateway {
        address,
        deploy,
        mut proxy,
        mesh,
        parts,
    } = Gateway::serving("*");
    // By hand, past `modgate deploy`, which would refuse it: YAML 1.1 makes a boolean of this rule's name.
    let bad = deploy.text("3-filter.yaml").replace("id: public", "id: no");
    mesh.apply(&bad);
    proxy.wait_for_log("quote");
    for _ in 0..20 {
        assert_eq!(status(address, LIST), Some(200));
    }
    drop(proxy);

    let mut anew = mesh.run(&Pod::gateway("gateway-2", ("istio", "gateway")));
    anew.wait_until("answering", || {
        (status(address, LIST)? >= 500).then_some(())
    });
    assert_ne!(
        status(address, "/example.org/words/@v/v0.1.0.zip"),
        Some(200)
    );
    assert!(
        parts
            .files
            .requests()
            .iter()
            .all(|request| request.path != "/example.org/words/@v/v0.1.0.zip")
    );
}
