//! One version's files, one after the other: a proxy that has to clone does it for the first.

use std::time::{Duration, Instant};

use bytes::Bytes;
use envoy_wasm_scenario::shown;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use modgate_engine::telemetry::cache_verdict;
use modgate_go::gomod::{H1, ModuleVersion, escape_into};
use modgate_go::goproxy::Mutability;
use modgate_go::integrity::GoModHasher;
use modgate_go::zip::ZipHasher;
use serde::Serialize;

use super::client::Client;
use super::wanted::Hashes;
use crate::policy_file::request;
use modgate_go::http::Header;

/// The first pause before a file is requested again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];

/// The most that is read of an `.info`, and of the text of a refusal.
const MAX_TEXT: usize = 1 << 20;

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For one file.
    pub(super) timeout: Duration,
    /// For a version that is not there, or a proxy that fails.
    pub(super) wait: Duration,
}

/// What came of one file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fetched {
    /// `MODULE@VERSION`.
    pub(super) version: String,
    /// `info`, `mod` or `zip`.
    pub(super) file: &'static str,
    /// `hit`, `miss`, `stale` or `unknown`; nothing where it was not had.
    pub(super) cache: Option<&'static str>,
    pub(super) bytes: u64,
    pub(super) milliseconds: u64,
    /// Whether its hash was compared with that of a go.sum.
    pub(super) compared: bool,
    /// Why it was not had, or is not what it should be.
    pub(super) failure: Option<String>,
}

/// A failure, and whether asking again may help.
struct Failure {
    why: String,
    may_pass: bool,
}

impl Failure {
    fn final_one(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_pass: false,
        }
    }
}

/// The files of a version, in the order in which the Go command asks. Behind the first that fails no
/// other is requested.
pub(super) async fn version(
    client: &Client,
    patience: Patience,
    module: &ModuleVersion,
    hashes: &Hashes,
) -> Vec<Fetched> {
    let mut all = vec![("info", None), ("mod", hashes.go_mod)];
    if hashes.zip_wanted {
        all.push(("zip", hashes.zip));
    }
    let mut fetched = Vec::new();
    for (file, hash) in all {
        let one = with_patience(client, patience, module, file, hash).await;
        let has_failed = one.failure.is_some();
        fetched.push(one);
        if has_failed {
            break;
        }
    }
    fetched
}

async fn with_patience(
    client: &Client,
    patience: Patience,
    module: &ModuleVersion,
    file: &'static str,
    hash: Option<H1>,
) -> Fetched {
    let began = Instant::now();
    let [mut pause, longest] = PAUSES;
    loop {
        let sent = Instant::now();
        let asking = one(client, module, file, hash);
        let ended = tokio::time::timeout(patience.timeout, asking).await;
        let ended = ended.unwrap_or_else(|_| {
            let limit = patience.timeout.as_secs_f64();
            Err(Failure {
                why: format!("it did not arrive within {limit} s"),
                may_pass: true,
            })
        });
        let milliseconds = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
        let done = Fetched {
            version: module.to_string(),
            file,
            cache: None,
            bytes: 0,
            milliseconds,
            compared: hash.is_some(),
            failure: None,
        };
        match ended {
            Ok((cache, bytes)) => {
                return Fetched {
                    cache: Some(cache),
                    bytes,
                    ..done
                };
            }
            Err(failure) if failure.may_pass && began.elapsed() + pause <= patience.wait => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            Err(failure) => {
                return Fetched {
                    failure: Some(failure.why),
                    ..done
                };
            }
        }
    }
}

/// What the cache did, and how many bytes came.
async fn one(
    client: &Client,
    module: &ModuleVersion,
    file: &'static str,
    hash: Option<H1>,
) -> Result<(&'static str, u64), Failure> {
    let began = Instant::now();
    let mut version = String::new();
    escape_into(module.version(), &mut version);
    let path = request::path(module.path(), &format!("@v/{version}.{file}"));
    let answer = client.get(&path).await.map_err(|why| Failure {
        why,
        may_pass: true,
    })?;
    let to_headers = began.elapsed();
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        let text = text(body).await.unwrap_or_default();
        let first = String::from_utf8_lossy(&text);
        let first = first.lines().next().unwrap_or_default();
        let status = head.status;
        let may_pass = matches!(status.as_u16(), 404 | 410 | 429 | 500..);
        return Err(Failure {
            why: format!("{status}: {}", shown(first, 300)),
            may_pass,
        });
    }
    let bytes = match file {
        "info" => info(body, module).await?,
        "mod" => go_mod(body, hash).await?,
        _ => zip(body, module, hash).await?,
    };
    let headers: Vec<Header> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let status = head.status.as_u16();
    let verdict = cache_verdict(None, Mutability::Fixed, status, &headers, || to_headers);
    Ok((
        verdict.map_or("unknown", |verdict| verdict.status.as_str()),
        bytes,
    ))
}

/// The `.info` must be about this version.
async fn info(body: Incoming, module: &ModuleVersion) -> Result<u64, Failure> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Info {
        version: String,
    }
    let bytes = text(body).await.map_err(cut)?;
    let info: Info = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::final_one(format!("not a valid .info: {error}")))?;
    if info.version != module.version() {
        let why = format!("it is for {}", shown(&info.version, 100));
        return Err(Failure::final_one(why));
    }
    Ok(bytes.len() as u64)
}

async fn go_mod(body: Incoming, hash: Option<H1>) -> Result<u64, Failure> {
    let mut hasher = GoModHasher::default();
    let mut too_large = None;
    let bytes = each(body, |chunk| {
        if too_large.is_none() {
            too_large = hasher.feed(chunk).err();
        }
    });
    let bytes = bytes.await?;
    match too_large {
        Some(error) => Err(Failure::final_one(error.to_string())),
        None => {
            let found = hasher.finish();
            let found = found.map_err(|error| Failure::final_one(error.to_string()))?;
            compared(found, hash).map(|()| bytes)
        }
    }
}

async fn zip(body: Incoming, module: &ModuleVersion, hash: Option<H1>) -> Result<u64, Failure> {
    let mut hasher = ZipHasher::of(module.clone());
    // It keeps the first fault.
    let bytes = each(body, |chunk| _ = hasher.feed(chunk)).await?;
    let summary = hasher
        .finish()
        .map_err(|error| Failure::final_one(format!("not a valid module zip: {error}")))?;
    compared(summary.h1, hash).map(|()| bytes)
}

fn compared(found: H1, hash: Option<H1>) -> Result<(), Failure> {
    match hash {
        Some(hash) if hash != found => Err(Failure::final_one(format!(
            "its hash is {found}, but go.sum has {hash}"
        ))),
        _ => Ok(()),
    }
}

/// Hands out a body as it comes; how many bytes that were.
async fn each(mut body: Incoming, mut take: impl FnMut(&[u8])) -> Result<u64, Failure> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(cut)?.into_data() {
            bytes += data.len() as u64;
            take(&data);
        }
    }
    Ok(bytes)
}

/// A small body.
async fn text(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            text.extend_from_slice(&data);
        }
        if text.len() > MAX_TEXT {
            break;
        }
    }
    Ok(text.into())
}

fn cut(error: hyper::Error) -> Failure {
    Failure {
        why: format!("it arrived incomplete: {error}"),
        may_pass: true,
    }
}
