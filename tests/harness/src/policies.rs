//! The policy that most tests begin with.

use serde_json::{Value, json};

/// Three tenants in front of one backend whose cluster is `backend`:
/// `web` may have everything public but a denied module, `locked` only `golang.org/x/text`, and
/// `routed` what it asks for under the prefix `/go.dev/v1`.
pub fn three_tenants(kind: &str) -> Value {
    json!({
        "version": "2026-11-23.1",
        "default": "deny",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {
            "web": {"rules": ["org"]},
            "locked": {"rules": ["text-only"]}
        },
        "rules": {
            "org": [
                {"id": "typosquat", "deny": ["github.com/boltdb-go/bolt"],
                 "reason": "typosquat of go.etcd.io/bbolt"},
                {"id": "public", "allow": ["*"]}
            ],
            "text-only": [{"id": "text", "allow": ["golang.org/x/text"]}]
        },
        "backends": {"main": {"cluster": "backend", "kind": kind}},
        "routes": [{"id": "all", "backend": "main"}]
    })
}
