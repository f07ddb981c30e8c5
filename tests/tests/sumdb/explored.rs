//! A real zip that is there before its proof, in every way in which that may come about, in the simulator; and as it
//! stands on real Envoy too. What the public database answered is recorded, since it answers a little otherwise each day.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use host_sim::Module;
use host_sim::sim::{Behaviour, Chunk, Chunks, Pairs, Scenario, Span, engine};
use modgate_tests::envoy_scenarios::{compare, play};
use modgate_tests::module_zips::real_module_zips;
use modgate_tests::tools::{dist, root};
use serde_json::json;

use super::support::policy;

/// As the Go command has it (cmd/go, `modfetch/key.go`).
const KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// What the public database answered about it: paths, and files of the engine's test data.
const RECORDED: [(&str, &str); 13] = [
    ("/lookup/golang.org/x/mod@v0.30.0", "lookup-mod"),
    ("/tile/8/0/x180/634", "tile-0-x180-634"),
    ("/tile/8/0/x217/509", "tile-0-x217-509"),
    ("/tile/8/0/x222/108", "tile-0-x222-108"),
    ("/tile/8/0/x259/091.p/83", "tile-0-x259-091.p-83"),
    ("/tile/8/1/705", "tile-1-705"),
    ("/tile/8/1/849", "tile-1-849"),
    ("/tile/8/1/867", "tile-1-867"),
    ("/tile/8/1/x001/012.p/19", "tile-1-x001-012.p-19"),
    ("/tile/8/2/002", "tile-2-002"),
    ("/tile/8/2/003.p/244", "tile-2-003.p-244"),
    ("/tile/8/3/000.p/3", "tile-3-000.p-3"),
    ("/latest", "latest"),
];

/// The zip of `golang.org/x/mod@v0.30.0`.
fn zip() -> Bytes {
    let modules = real_module_zips();
    let mut modules = modules.iter();
    let module = modules.find(|m| m.path == "golang.org/x/mod" && m.version == "v0.30.0");
    std::fs::read(&module.unwrap().zip).unwrap().into()
}

/// A client asks for the zip, which comes in these parts and before the database's answers.
fn scenario(zip: &Bytes, cuts: &[usize], with_length: bool) -> Scenario {
    let policy = policy(json!({"key": KEY, "backend": "database"}));
    let mut scenario = Scenario::parse(
        "name: a zip before its proof\n\
         filter: {allow_on_headers_stop_iteration: true}\n\
         requests: [{path: /t/web/golang.org/x/mod/@v/v0.30.0.zip, expect: {status: 200}}]\n\
         explore: {statuses: []}\nexpect: {metrics: {\"modgate_integrity_checks_total{result=verified}\": 1}}",
    )
    .unwrap();
    scenario.filter.configuration = policy;
    scenario.requests[0].expect.body_size = Some(zip.len());
    let chunk = |data: Bytes| Chunk {
        after: Duration::from_millis(1),
        data,
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([zip.len()]) {
        parts.push(chunk(zip.slice(from..to)));
        from = to;
    }
    let mut headers = Vec::new();
    if with_length {
        headers.push(("content-length".to_owned(), zip.len().to_string()));
    }
    let backend = Behaviour {
        headers: Pairs(headers),
        body: Chunks(parts),
        ..Behaviour::default()
    };
    let database = RECORDED.iter().map(|(path, file)| {
        let file = Path::new("filter/engine/testdata/sumdb").join(file);
        Behaviour {
            path: Some((*path).to_owned()),
            after: Span(Duration::from_millis(30)),
            body: Chunks(vec![chunk(
                std::fs::read(root().join(file)).unwrap().into(),
            )]),
            ..Behaviour::default()
        }
    });
    let database = database.collect();
    scenario.upstreams.insert("database".to_owned(), database);
    scenario
        .upstreams
        .insert("backend".to_owned(), vec![backend]);
    scenario
}

#[test]
fn a_zip_that_waits_for_its_proof_comes_whole_or_not_at_all() {
    let (zip, wasm) = (zip(), dist("modgate.wasm"));
    let module = Module::from_file(&engine(None).unwrap(), &wasm).unwrap();
    let end = zip.len();
    for cuts in [
        vec![],
        vec![end / 2],
        vec![end - 1000],
        vec![1000, end - 100, end - 50],
    ] {
        for with_length in [true, false] {
            let what = format!("{cuts:?}, length {with_length}");
            let scenario = scenario(&zip, &cuts, with_length);
            let run = scenario.play(&module).unwrap();
            assert_eq!(scenario.differences(&run), [], "{what}");
            assert!(run.clients[0].body.to_bytes() == zip, "{what}");
            let explored = scenario.explore(&module, 1, 60).unwrap();
            assert_eq!(explored.violation, None, "{what}");
            let envoy = play(&scenario, &wasm);
            let differ = compare::differences(&scenario, &run, &envoy);
            assert_eq!(differ, [], "{what}");
        }
    }
}
