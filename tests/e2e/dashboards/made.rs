//! What is committed is what the generator makes, and it makes nothing of a metric that is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modgate::export;
use modgate_harness::grafana;
use modgate_harness::tools::root;
use serde_json::Value;

/// The files of a folder by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let entries = entries.map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

/// Whether it went well, and what was said, with this catalogue.
fn make(catalogue: &str, into: &Path) -> (bool, String) {
    let file = into.join("catalogue.json");
    fs::write(&file, catalogue).unwrap();
    let output = grafana::make(&file, into);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

#[test]
fn what_is_committed_is_what_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (went_well, said) = make(&export::json(), dir.path());
    assert!(went_well, "{said}");
    for folder in ["dashboards", "kubernetes"] {
        let made = files(&dir.path().join(folder));
        let committed = files(&root().join("grafana").join(folder));
        assert!(made.len() >= 6, "{folder}: {:?}", made.keys());
        assert!(
            made.keys().eq(committed.keys()),
            "grafana/{folder} has other files than are made: {:?}",
            committed.keys()
        );
        for (name, text) in &made {
            assert!(
                *text == committed[name],
                "grafana/{folder}/{name} is not current: run `make dashboards`"
            );
        }
    }
}

/// What is done to the catalogue's metrics.
type Change = fn(&mut Vec<Value>);

/// The catalogue, changed.
fn changed(change: Change) -> String {
    let mut catalogue: Value = serde_json::from_str(&export::json()).unwrap();
    change(catalogue["metrics"].as_array_mut().unwrap());
    catalogue.to_string()
}

#[test]
fn a_metric_or_label_too_much_or_too_little_is_refused() {
    let cases: [(Change, &str); 3] = [
        (
            |metrics| metrics.retain(|metric| metric["name"] != "modgate_sumdb_lookups_total"),
            "dashboards: the catalogue has no metric modgate_sumdb_lookups_total\n",
        ),
        (
            |metrics| metrics[0]["labels"].as_array_mut().unwrap().truncate(3),
            "dashboards: modgate_requests_total has no label outcome\n",
        ),
        (
            |metrics| {
                let mut more = metrics[0].clone();
                more["name"] = "modgate_new_total".into();
                metrics.push(more);
            },
            "dashboards: no panel uses modgate_new_total\n",
        ),
    ];
    for (change, reason) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (went_well, said) = make(&changed(change), dir.path());
        assert!(!went_well, "{reason}");
        assert_eq!(said, reason);
    }
}

/// The ConfigMap carries the very dashboard, and the operator's resource names that ConfigMap.
#[test]
fn kubernetes_gets_the_same_dashboards() {
    for board in grafana::boards() {
        let uid = board.uid();
        let file = root().join(format!("grafana/kubernetes/{uid}.yaml"));
        let text = fs::read_to_string(&file).unwrap();
        let documents: Vec<Value> = text
            .split("\n---\n")
            .map(|document| plain_yaml::from_str(document).unwrap())
            .collect();
        let [map, resource] = documents.as_slice() else {
            panic!("{uid}: {} documents", documents.len());
        };
        assert_eq!(map["kind"], "ConfigMap");
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        let key = format!("{uid}.json");
        let carried: Value = serde_json::from_str(map["data"][&key].as_str().unwrap()).unwrap();
        assert!(
            carried == board.json,
            "{uid}: the ConfigMap has another dashboard"
        );
        // What `kubectl apply` can keep of an object in its annotation.
        assert!(text.len() < 256 * 1024, "{uid}: {} bytes", text.len());
        assert_eq!(resource["apiVersion"], "grafana.integreatly.org/v1beta1");
        assert_eq!(resource["kind"], "GrafanaDashboard");
        let reference = &resource["spec"]["configMapRef"];
        assert_eq!(reference["name"], map["metadata"]["name"]);
        assert_eq!(reference["key"], key);
    }
}
