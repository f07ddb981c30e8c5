//! The public database, asked through goproxy about real modules.

use modgate_harness::backends::Backend;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use serde_json::json;

use super::support::*;

/// As the Go command has it (cmd/go, `modfetch/key.go`).
const KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

#[test]
fn real_modules_are_held_against_the_public_database() {
    let backend = Backend::goproxy();
    let mut policy = policy(json!({"key": KEY, "backend": "main", "proxied": true}));
    policy["backends"] = json!({"main": {"cluster": "backend", "kind": "goproxy"}});
    let envoy = Envoy::start(&Config::new(policy, &[("backend", backend.address())]));
    let modules = [
        "golang.org/x/text@v0.14.0",
        "github.com/BurntSushi/toml@v1.3.2",
        "gopkg.in/yaml.v3@v3.0.1",
    ];
    for module in modules {
        let go = Go::new(format!("http://{}/t/web", envoy.address()), Sumdb::Off);
        go.run(&["mod", "download", module]).expect_ok();
    }
    let figures = envoy.prometheus();
    let by_database = [("result", "verified"), ("evidence", "sumdb")];
    assert_eq!(sum(&figures, CHECKS, &by_database), 6.0);
    assert_eq!(sum(&figures, LOOKUPS, &[("result", "proven")]), 3.0);
}
