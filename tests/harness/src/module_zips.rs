//! Real module zips, from the Go module proxy that the machine's own go uses.

use std::path::PathBuf;

use serde::Deserialize;

use crate::go::{Go, Sumdb};
use crate::tools::{root, upstream_goproxy};

/// Modules of every kind and size, from a few files to 36 MB and 9,000 files.
const MODULES: [&str; 34] = [
    "github.com/pkg/errors@v0.9.1",
    "github.com/pkg/browser@v0.0.0-20240102092130-5ac0b6a4141c",
    "github.com/bsm/redislock@v0.9.4",
    "github.com/aws/aws-sdk-go-v2/internal/endpoints/v2@v2.7.29",
    "github.com/mattn/go-ieproxy@v0.0.1",
    "github.com/youmark/pkcs8@v0.0.0-20240726163527-a2c0da244d78",
    "github.com/unrolled/secure@v1.17.0",
    "github.com/golang/groupcache@v0.0.0-20241129210726-2c02b8208cf8",
    "github.com/go-playground/universal-translator@v0.18.1",
    "github.com/klauspost/crc32@v1.3.0",
    "github.com/DataDog/opencensus-go-exporter-datadog@v0.0.0-20220622145613-731d59e8b567",
    "go.opentelemetry.io/otel/trace@v1.43.0",
    "github.com/minio/md5-simd@v1.1.2",
    "github.com/coreos/go-systemd/v22@v22.7.0",
    "github.com/apparentlymart/go-textseg@v1.0.0",
    "golang.org/x/mod@v0.30.0",
    "github.com/zclconf/go-cty@v1.0.0",
    "github.com/Azure/azure-storage-blob-go@v0.15.0",
    "go.opencensus.io@v0.24.0",
    "github.com/uber/jaeger-client-go@v2.25.0+incompatible",
    "github.com/prometheus/client_golang@v1.23.2",
    "github.com/BurntSushi/toml@v1.6.0",
    "github.com/BurntSushi/toml@v1.3.2",
    "gopkg.in/yaml.v3@v3.0.1",
    "github.com/satori/go.uuid@v1.2.1-0.20181028125025-b2ce2384e17b",
    "github.com/dgrijalva/jwt-go@v3.2.0+incompatible",
    "github.com/cespare/xxhash/v2@v2.2.0",
    "github.com/gabriel-vasile/mimetype@v1.4.13",
    "golang.org/x/net@v0.55.0",
    "golang.org/x/crypto@v0.51.0",
    "google.golang.org/grpc@v1.81.1",
    "github.com/redis/go-redis/v9@v9.18.0",
    "golang.org/x/text@v0.26.0",
    "github.com/aws/aws-sdk-go@v1.55.8",
];

/// A module in a module cache.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModuleZip {
    /// The module path.
    pub path: String,
    /// The version.
    pub version: String,
    /// The zip.
    pub zip: PathBuf,
    /// The go.mod file.
    pub go_mod: PathBuf,
    /// The zip's hash, as the go command computed it.
    pub sum: String,
    /// The same of the go.mod file.
    pub go_mod_sum: String,
}

/// The modules, in a cache in `.work` that stays, so that they are downloaded once.
///
/// # Panics
/// Where go cannot download one of them.
pub fn real_module_zips() -> Vec<ModuleZip> {
    download(&MODULES)
}

/// Many small modules, 8 MB in all, in the same cache: what a build of one service needs.
///
/// # Panics
/// Where go cannot download one of them.
pub fn small_module_zips() -> Vec<ModuleZip> {
    let modules: Vec<&str> = include_str!("../small-modules.txt").lines().collect();
    download(&modules)
}

/// The cache's folder that is a GOPROXY file tree.
pub fn downloaded() -> PathBuf {
    cache().join("cache/download")
}

fn cache() -> PathBuf {
    let cache = root().join(".work/module-zips");
    std::fs::create_dir_all(&cache).expect("a folder can be made in .work");
    cache.canonicalize().expect("it is there")
}

fn download(modules: &[&str]) -> Vec<ModuleZip> {
    let go = Go::new(upstream_goproxy(), Sumdb::Off).with("GOMODCACHE", cache().to_string_lossy());
    let arguments = [["mod", "download", "-json"].as_slice(), modules].concat();
    let output = go.run(&arguments);
    serde_json::Deserializer::from_str(output.expect_ok())
        .into_iter()
        .map(|module| module.expect("go mod download -json gives a module"))
        .collect()
}
