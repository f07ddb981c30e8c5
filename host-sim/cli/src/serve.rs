//! `modgate serve`

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_scenario::shown;
use envoy_wasm_serve::{AccessRecord, ModuleSource, Policy, Server, Upstream};
use modgate_go::http::headers::ACCESS_PROPERTY;
use modgate_policy::document::parse_duration;

use super::filter;
use super::module;
use super::out;
use super::policy_file::load::as_json;
use super::stop::StopSignal;

/// The arguments of `modgate serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The policy: a file as for `modgate check`; read again whenever it changes.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// A cluster that the policy names, and its URL; repeat for each cluster.
    #[arg(long = "upstream", value_name = "NAME=URL", required = true)]
    upstreams: Vec<Upstream>,
    /// CA certificates (PEM) to trust for `https` upstreams, in addition to the system's or those of
    /// SSL_CERT_FILE; repeat for each file. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are respected.
    #[arg(long = "ca-file", value_name = "FILE")]
    ca_files: Vec<PathBuf>,
    /// A secret that the policy names for a backend's header, and the file with the whole header value;
    /// repeat for each secret.
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = secret)]
    secrets: Vec<(String, PathBuf)>,
    /// Address for client requests.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address for `/metrics` and `/ready`.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9901")]
    admin: SocketAddr,
    /// The filter's .wasm file [default: MODGATE_WASM, else modgate.wasm beside this command].
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Worker threads [default: one per processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// How long running requests may take to finish after SIGINT or SIGTERM.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    drain: Duration,
    /// The line printed for each request: JSON with the fields of Envoy's access log, short text, or none.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    access_log: Format,
}

/// What is printed for each request.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Json,
    Text,
    Off,
}

/// A good policy without its route key, which is no part of its hash: there are no routes here that match a
/// header. Of a bad one the filter says what is wrong.
fn without_route_key(document: Vec<u8>) -> Vec<u8> {
    const MEMBER: &str = "route_key";
    let is_named = document
        .windows(MEMBER.len())
        .any(|part| part == MEMBER.as_bytes());
    if !is_named || !has_route_key(&document) {
        return document;
    }
    match serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(&document) {
        Ok(mut members) => {
            members.remove(MEMBER);
            serde_json::Value::from(members).to_string().into_bytes()
        }
        Err(_) => document,
    }
}

fn has_route_key(document: &[u8]) -> bool {
    let policy = modgate_policy::model::Policy::from_json(document);
    policy.is_ok_and(|policy| policy.route_key.is_some())
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let module = ModuleSource::File(module::find(args.wasm)?);
    let mut config = filter::serve(module, Policy::File(args.policy), args.upstreams);
    config.module_cache = module::cache();
    config.policy_format = Some(Arc::new(|path, bytes| {
        as_json(path, bytes).map(without_route_key)
    }));
    config.ca_files = args.ca_files;
    config.listen = args.listen;
    config.admin = args.admin;
    config.workers = args.workers.map_or_else(processors, usize::from);
    config.secrets = args.secrets.into_iter().collect();
    config.drain = args.drain;
    config.access_log = match args.access_log {
        Format::Json => Some(Arc::new(|record| {
            print_line(&record.to_json(ACCESS_PROPERTY))
        })),
        Format::Text => Some(Arc::new(|record| print_line(&text(record)))),
        Format::Off => None,
    };
    // Before the start, so that a signal that comes meanwhile is not lost.
    let mut stop = StopSignal::new()?;
    let server = Server::start(config)?;
    out::note(format_args!(
        "serving on http://{}, metrics on http://{}/metrics",
        server.address(),
        server.admin_address()
    ));
    stop.wait();
    out::note("stopping; waiting for running requests");
    server.shutdown();
    Ok(())
}

/// `NAME=FILE`.
pub(super) fn secret(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE")?;
    if name.is_empty() || file.is_empty() {
        return Err("write NAME=FILE".to_owned());
    }
    Ok((name.to_owned(), file.into()))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One line: status, method, path, time, and who answered.
fn text(record: &AccessRecord) -> String {
    let status = record
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let by = match (&record.cluster, record.from_upstream) {
        (Some(cluster), true) => cluster.clone(),
        _ => format!("modgate ({})", reason(&record.code_details)),
    };
    // A query is never part of a good request, and may hold a secret.
    let path = record.path.split('?').next().unwrap_or_default();
    format!(
        "{status} {} {} {:.1} ms {} bytes, {by}",
        record.method,
        shown(path, usize::MAX),
        record.duration.as_secs_f64() * 1000.0,
        record.response_bytes,
    )
}

/// A reader that has gone away is no reason to stop serving.
fn print_line(line: &str) {
    _ = writeln!(std::io::stdout(), "{line}");
}

fn reason(details: &str) -> &str {
    if details.is_empty() {
        "the filter"
    } else {
        details
    }
}
