//! Real go, through real Envoy with the filter, from real Go proxies with real modules.

use modgate_harness::backends::Backend;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::metrics::Figures;
use modgate_harness::policies::three_tenants;

fn goproxy_url(envoy: &Envoy, tenant: &str) -> String {
    format!("http://{}/t/{tenant}", envoy.address())
}

/// Module, version, and the folder in the module cache. Every form that a name can have: upper case,
/// gopkg.in, a major version suffix, `+incompatible`, a pseudo-version.
const MODULES: [(&str, &str, &str); 6] = [
    ("golang.org/x/text", "v0.14.0", "golang.org/x/text@v0.14.0"),
    (
        "github.com/BurntSushi/toml",
        "v1.3.2",
        "github.com/!burnt!sushi/toml@v1.3.2",
    ),
    ("gopkg.in/yaml.v3", "v3.0.1", "gopkg.in/yaml.v3@v3.0.1"),
    (
        "github.com/cespare/xxhash/v2",
        "v2.2.0",
        "github.com/cespare/xxhash/v2@v2.2.0",
    ),
    (
        "github.com/satori/go.uuid",
        "v1.2.1-0.20181028125025-b2ce2384e17b",
        "github.com/satori/go.uuid@v1.2.1-0.20181028125025-b2ce2384e17b",
    ),
    (
        "github.com/dgrijalva/jwt-go",
        "v3.2.0+incompatible",
        "github.com/dgrijalva/jwt-go@v3.2.0+incompatible",
    ),
];

fn download_all(go: &Go) {
    for (module, version, folder) in MODULES {
        go.run(&["mod", "download", &format!("{module}@{version}")])
            .expect_ok();
        assert!(go.has(folder), "{folder} is not in the module cache");
    }
}

#[test]
fn goproxy_with_the_checksum_database_so_that_go_verifies() {
    let backend = Backend::goproxy();
    let config = Config::new(three_tenants("goproxy"), &[("backend", backend.address())]);
    let envoy = Envoy::start(&config);
    download_all(&Go::new(goproxy_url(&envoy, "web"), Sumdb::Verify));

    // goproxy fetches all files of a version when go asks for the first, its .info.
    let lookups = |operation, status| {
        let figures = Figures::parse(&envoy.prometheus());
        let labels = [
            ("operation", operation),
            ("cache_status", status),
            ("evidence", "backend"),
        ];
        figures.sum("modgate_cache_lookups_total", &labels)
    };
    assert_eq!(
        (lookups("info", "miss"), lookups("info", "hit")),
        (6.0, 0.0)
    );
    assert_eq!((lookups("zip", "miss"), lookups("zip", "hit")), (0.0, 6.0));
    let figures = Figures::parse(&envoy.prometheus());
    let sumdb = [("tenant", "web"), ("operation", "sumdb"), ("outcome", "ok")];
    assert!(
        figures.sum("modgate_requests_total", &sumdb) >= 6.0,
        "go did not verify: {figures:?}"
    );

    // Another developer finds everything in the backend's cache.
    download_all(&Go::new(goproxy_url(&envoy, "web"), Sumdb::Verify));
    assert_eq!(
        (lookups("info", "miss"), lookups("info", "hit")),
        (6.0, 6.0)
    );
}

#[test]
fn go_tells_a_refused_developer_what_they_need() {
    let backend = Backend::goproxy();
    let config = Config::new(three_tenants("goproxy"), &[("backend", backend.address())]);
    let envoy = Envoy::start(&config);

    let web = Go::new(goproxy_url(&envoy, "web"), Sumdb::Off);
    for arguments in [
        ["mod", "download", "github.com/boltdb-go/bolt@v1.3.1"].as_slice(),
        &["get", "github.com/boltdb-go/bolt@v1.3.1"],
        &["get", "github.com/boltdb-go/bolt"],
        &["list", "-m", "-versions", "github.com/boltdb-go/bolt"],
    ] {
        let output = web.run(arguments);
        let said = output.expect_failure();
        for line in [
            "403 Forbidden",
            "modgate: denied github.com/boltdb-go/bolt",
            "tenant: web",
            "rule: org/typosquat",
            "reason: typosquat of go.etcd.io/bbolt",
            "contact: #go-platform",
            "request: ",
        ] {
            assert!(
                said.contains(line),
                "go {arguments:?} does not say {line:?}:\n{said}"
            );
        }
    }

    let locked = Go::new(goproxy_url(&envoy, "locked"), Sumdb::Off);
    let said = locked.run(&["mod", "download", "gopkg.in/yaml.v3@v3.0.1"]);
    let said = said.expect_failure();
    assert!(
        said.contains("rule: default") && said.contains("no rule allows it"),
        "{said}"
    );

    let nobody = Go::new(goproxy_url(&envoy, "nobody"), Sumdb::Off);
    let said = nobody.run(&["mod", "download", "golang.org/x/text@v0.14.0"]);
    let said = said.expect_failure();
    assert!(said.contains("the policy has no tenant nobody"), "{said}");
}

#[test]
fn a_tenant_with_one_module_can_use_its_packages_and_nothing_else() {
    let backend = Backend::goproxy();
    let config = Config::new(three_tenants("goproxy"), &[("backend", backend.address())]);
    let envoy = Envoy::start(&config);
    let locked = Go::new(goproxy_url(&envoy, "locked"), Sumdb::Verify);

    // go asks for every prefix of the import path, above the module and below it.
    locked
        .run(&["get", "golang.org/x/text/language@v0.14.0"])
        .expect_ok();
    let versions = locked.run(&["list", "-m", "-versions", "golang.org/x/text"]);
    assert!(versions.expect_ok().contains("v0.14.0"), "{versions:?}");
    // The module needs golang.org/x/tools, which this tenant may not have: only the go.mod is asked.
    let figures = Figures::parse(&envoy.prometheus());
    let probes = [("tenant", "locked"), ("decision", "probe")];
    assert!(
        figures.sum("modgate_decisions_total", &probes) >= 1.0,
        "{figures:?}"
    );
}

#[test]
fn athens_gives_the_same_modules() {
    let backend = Backend::athens();
    let config = Config::new(three_tenants("athens"), &[("backend", backend.address())]);
    let envoy = Envoy::start(&config);
    let go = Go::new(goproxy_url(&envoy, "web"), Sumdb::Off);
    download_all(&go);
    let said = go.run(&["mod", "download", "github.com/boltdb-go/bolt@v1.3.1"]);
    assert!(
        said.expect_failure().contains("rule: org/typosquat"),
        "{said:?}"
    );

    // Nothing in Athens' answers tells a hit from a miss, so nothing is claimed.
    let figures = Figures::parse(&envoy.prometheus());
    let zips = |status| {
        let labels = [("operation", "zip"), ("cache_status", status)];
        figures.sum("modgate_cache_lookups_total", &labels)
    };
    assert_eq!(
        (zips("unknown"), zips("hit"), zips("miss")),
        (6.0, 0.0, 0.0),
        "{figures:?}"
    );
}
