//! Bodies that a filter holds and changes from outside the callback that holds them: each half, held since each point of
//! the exchange, woken by everything that can wake a filter, changed in each way, on real Envoy and in the simulator.

use std::fmt::Write;

use envoy_wasm_host::Module;
use envoy_wasm_scenario::{Scenario, engine};
use modgate::filter;
use modgate_conformance::envoy_scenarios::{compare, play};
use modgate_harness::tools::root;

/// What one waking does after the other.
const ROUNDS: [&str; 13] = [
    "get+continue",
    "get+append+get+continue",
    "prepend+get+continue",
    "replace+get+continue",
    "drain+get+continue",
    "middle+append+continue",
    "append,prepend+get+continue",
    "replace,append+continue",
    "drain,append+continue",
    // What comes behind the release belongs to what is held next, if to anything.
    "continue+get+append",
    "continue,get+append+get",
    "append+continue,append+get",
    "continue,replace",
];

/// How a message goes on after its first piece.
const SHAPES: [(&str, &str); 4] = [
    ("whole", "body: [one]"),
    ("end", "body: [one, {text: two, after: 2500ms}]"),
    (
        "late",
        "body: [one, {text: two, after: 2500ms}], late_end: true",
    ),
    (
        "trailers",
        "body: [one, {text: two, after: 2500ms}], trailers: {x-end: \"1\"}",
    ),
];

/// When the others come, where they wake: behind the first piece, and often enough behind the end.
const WAKES: [u32; 7] = [800, 3200, 3600, 4000, 6000, 8000, 10000];

/// The scenario of one half and one waker.
fn scenario(half: &str, by: &str, since: &[&str], stops_at_headers: bool) -> Scenario {
    let mut text = format!(
        "name: {half} {by}\n\
         filter: {{configuration: edits held bodies, allow_on_headers_stop_iteration: {stops_at_headers}}}\n\
         upstreams:\n  side: [{{body: [yes], after: 20ms}}]\n"
    );
    let line = |text: &mut String, line: &str| writeln!(text, "{line}").unwrap();
    for (shape, message) in SHAPES {
        // A request that has gone on is still there for what follows.
        let answer = match half {
            "response" => message,
            _ => "after: 500ms",
        };
        line(&mut text, &format!("  {shape}: [{{{answer}}}]"));
    }
    line(&mut text, "requests:");
    for since in since {
        for (shape, message) in SHAPES {
            if by == "trailers" && shape != "trailers" {
                continue;
            }
            for rounds in ROUNDS {
                // Trailers come once; and an item in a queue is there at once, whether the response that has
                // gone on is gone by then or not.
                let goes_on_last = rounds.ends_with("continue");
                let at_once = by == "trailers" || by == "queue" && half == "response";
                if by == "trailers" && rounds.contains(',') || at_once && !goes_on_last {
                    continue;
                }
                let sent = match half {
                    "request" => format!("method: POST, {message}, "),
                    _ => String::new(),
                };
                let path = format!("/{half}/{since}/{by}/{rounds}");
                let headers = format!("{{x-modgate-cluster: {shape}}}");
                let outcome = "expect: {outcome: complete}";
                let request =
                    format!("  - {{{sent}path: \"{path}\", headers: {headers}, {outcome}}}");
                line(&mut text, &request);
            }
        }
    }
    if by == "other" {
        for at in WAKES {
            let wake = "path: /wake, headers: {x-modgate-cluster: whole}";
            line(&mut text, &format!("  - {{at: {at}ms, {wake}}}"));
        }
    }
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    filter::scenario(scenario)
}

/// Plays each on both hosts; what is otherwise in Envoy, of all of them.
fn differences(scenarios: &[Scenario]) -> Vec<String> {
    let wasm = root().join(".work/filters/odd.wasm");
    let module = Module::from_file(&engine(None).unwrap(), &wasm).unwrap();
    let mut wrong = Vec::new();
    for scenario in scenarios {
        let simulator = scenario.play(&module).unwrap();
        let envoy = play(scenario, &wasm);
        for one in compare::differences(scenario, &simulator, &envoy) {
            let (what, request) = (&one.what, path_of(scenario, &one.what));
            wrong.push(format!(
                "{}: {what} {request}\n- {}\n+ {}",
                scenario.name, one.expected, one.seen
            ));
        }
    }
    wrong
}

/// The path of the request that a difference is about.
fn path_of<'s>(scenario: &'s Scenario, what: &str) -> &'s str {
    let number = what.strip_prefix("request ").and_then(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<usize>().ok()
    });
    let request = number.and_then(|number| scenario.requests.get(number.checked_sub(1)?));
    request.map_or("", |request| &request.path)
}

fn agree(half: &str) {
    let all = ["headers", "first", "end", "last"];
    let mut scenarios: Vec<_> = ["tick", "answer", "queue", "other"]
        .iter()
        .map(|by| scenario(half, by, &all, false))
        .collect();
    scenarios.push(scenario(half, "trailers", &["first", "end", "last"], false));
    scenarios.push(scenario(half, "tick", &["headers"], true));
    let wrong = differences(&scenarios);
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_held_request_is_changed_from_outside_as_in_envoy() {
    agree("request");
}

#[test]
fn a_held_response_is_changed_from_outside_as_in_envoy() {
    agree("response");
}
