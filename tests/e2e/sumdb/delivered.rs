//! Many real modules at once, whose bytes are there before their proof: what the client gets is what was checked, however
//! the backend sends it, and what was not delivered is not called good.

use std::net::SocketAddr;

use modgate_harness::chunked::Chunked;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::http2_files::Http2Files;
use modgate_harness::module_zips::{ModuleZip, downloaded, small_module_zips};
use modgate_harness::pki::{Authority, Holder};
use modgate_harness::serve::Serve;
use modgate_harness::sumdb::Database;
use serde_json::json;

use super::support::*;

/// A database that answers late, and the modules that it has hashes of.
fn late() -> (Vec<ModuleZip>, Database) {
    let modules = small_module_zips();
    assert!(modules.len() > 100, "only {} modules", modules.len());
    let database = Database::start(&downloaded(), 300);
    database.lie("late");
    (modules, database)
}

/// A developer with an empty cache downloads all modules, and gets them as they are.
#[track_caller]
fn download_all(proxy: SocketAddr, modules: &[ModuleZip]) {
    let go = Go::new(format!("http://{proxy}/t/web"), Sumdb::Off);
    let names = modules.iter().map(|m| format!("{}@{}", m.path, m.version));
    let names: Vec<String> = names.collect();
    let mut arguments = vec!["mod", "download"];
    arguments.extend(names.iter().map(String::as_str));
    go.run(&arguments).expect_ok();
    for module in modules {
        let place = module.zip.strip_prefix(downloaded()).unwrap();
        let got = std::fs::read(go.downloads().join(place)).unwrap();
        assert!(
            got == std::fs::read(&module.zip).unwrap(),
            "{} is not what the backend has",
            module.path
        );
    }
}

/// Every file was checked, and every one was good and came whole.
#[track_caller]
fn assert_all_verified(prometheus: &str, modules: &[ModuleZip]) {
    let files = 2.0 * modules.len() as f64;
    let verified = [("result", "verified"), ("evidence", "sumdb")];
    assert_eq!(sum(prometheus, CHECKS, &verified), files);
    assert_eq!(sum(prometheus, CHECKS, &[]), files);
    let zips = [("operation", "zip"), ("outcome", "ok")];
    let requests = sum(prometheus, "modgate_requests_total", &zips);
    assert_eq!(requests, modules.len() as f64);
}

/// `modgate serve` with eight workers.
fn serve(database: &Database, backend: &str, authority: Option<&Authority>) -> Serve {
    let policy = policy(json!({"key": database.key(), "backend": "database"}));
    let arguments = [
        format!("--upstream=backend={backend}"),
        format!("--upstream=database=http://{}", database.address()),
        "--workers=8".to_owned(),
    ];
    let trusted = tempfile::NamedTempFile::new().unwrap();
    if let Some(authority) = authority {
        std::fs::write(trusted.path(), authority.pem()).unwrap();
    }
    Serve::launch(&policy, &arguments, |mut command| {
        if authority.is_some() {
            command.env("SSL_CERT_FILE", trusted.path());
        }
        command
    })
}

#[test]
fn real_modules_come_whole_through_eight_workers_from_http1() {
    let (modules, database) = late();
    let server = modgate_goproxy::Server::start(downloaded()).unwrap();
    let serve = serve(&database, &server.url(), None);
    download_all(serve.address(), &modules);
    assert_all_verified(&serve.prometheus(), &modules);
}

#[test]
fn real_modules_come_whole_through_eight_workers_in_chunks() {
    let (modules, database) = late();
    let server = Chunked::start(&downloaded(), false).unwrap();
    let serve = serve(&database, &format!("http://{}", server.address()), None);
    download_all(serve.address(), &modules);
    assert_all_verified(&serve.prometheus(), &modules);
}

#[test]
fn real_modules_come_whole_through_eight_workers_from_http2() {
    let (modules, database) = late();
    let authority = Authority::new();
    let identity = authority.issue(&Holder {
        names: &["localhost"],
        ..Holder::default()
    });
    let server = Http2Files::start(&downloaded(), &identity).unwrap();
    let backend = format!("https://localhost:{}", server.address().port());
    let serve = serve(&database, &backend, Some(&authority));
    download_all(serve.address(), &modules);
    assert_all_verified(&serve.prometheus(), &modules);
}

#[test]
fn real_modules_come_whole_through_envoy() {
    let (modules, database) = late();
    let server = Chunked::start(&downloaded(), false).unwrap();
    let policy = policy(json!({"key": database.key(), "backend": "database"}));
    let clusters = [
        ("backend", server.address()),
        ("database", database.address()),
    ];
    let envoy = Envoy::start(&Config::new(policy, &clusters));
    download_all(envoy.address(), &modules);
    assert_all_verified(&envoy.prometheus(), &modules);
}
