//! `modgate warm`: asks a proxy for everything that a build will want, so that it has it then.

mod client;
mod fetch;
mod go_list;
mod go_mod;
mod print;
mod wanted;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use modgate_policy::document::parse_duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::serve::secret;
use super::{out, progress};
use client::Client;
use fetch::{Fetched, Patience};
use wanted::{Platform, Wanted};

/// The arguments of `modgate warm`.
#[derive(Debug, clap::Args)]
// Its own --version is a module's.
#[command(disable_version_flag = true)]
#[command(
    after_help = "A file is recognized by its name, else by its content: go.sum, go.mod, a list of MODULE@VERSION, or the output of `go list -m all`, `go list -m -json all` or `go mod download -json`. With a go.sum every hash is compared, and a mismatch is a failure. No request is sent before all files are read.\n\
    Exit status 1: a file could not be fetched, or does not match go.sum."
)]
pub(super) struct Args {
    /// What to fetch: go.sum, go.mod, a list, or the output of `go list -m all`; `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "module")]
    files: Vec<PathBuf>,
    /// The proxy's URL as in GOPROXY, with the tenant's path prefix if it has one.
    #[arg(long, value_name = "URL")]
    proxy: String,
    /// A module with a newly tagged version.
    #[arg(long, requires = "version")]
    module: Option<String>,
    /// That version, or its tag (`sub/v1.2.3` for a module in a subfolder).
    #[arg(long, requires = "module")]
    version: Option<String>,
    /// The platform, GOOS/GOARCH, of the toolchain that a go.mod file names; repeat for each platform
    /// [default: this machine's].
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<Platform>,
    /// How many versions to fetch at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// How long one file may take. A proxy that does not have a version yet may have to clone its repository.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    timeout: Duration,
    /// How long to retry if the proxy does not have a version or fails: a new tag may not have reached it
    /// yet.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// A request header, and the file with its whole value; repeat for each header.
    #[arg(long = "header-file", value_name = "NAME=FILE", value_parser = secret)]
    headers: Vec<(String, PathBuf)>,
    /// CA certificates (PEM) to trust for an `https` proxy, in addition to the system's or those of
    /// SSL_CERT_FILE; repeat for each file. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are respected.
    #[arg(long = "ca-file", value_name = "FILE")]
    ca_files: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let platforms = if args.platforms.is_empty() {
        vec![Platform::own()]
    } else {
        args.platforms.clone()
    };
    let wanted = Wanted::read(
        &args.files,
        args.module.as_deref().zip(args.version.as_deref()),
        &platforms,
    )?;
    let client = Client::new(&args.proxy, &args.headers, &args.ca_files)?;
    let patience = Patience {
        timeout: args.timeout,
        wait: args.wait.unwrap_or_default(),
    };
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (fetched, interrupted) = runtime.block_on(all(
        &wanted,
        Arc::new(client),
        patience,
        usize::from(args.jobs),
    ));
    let text = if args.json {
        serde_json::to_string_pretty(&fetched)? + "\n"
    } else {
        print::summary(&wanted, &fetched, began.elapsed())
    };
    out::print(&text)?;
    if interrupted {
        return Err("interrupted".into());
    }
    let failed = fetched.iter().filter(|file| file.failure.is_some()).count();
    if failed > 0 {
        let of = out::count(fetched.len(), "file");
        return Err(format!("{failed} of {of} failed").into());
    }
    Ok(())
}

/// Asks for everything; what was had by then, and whether Ctrl-C came before the end.
async fn all(
    wanted: &Wanted,
    client: Arc<Client>,
    patience: Patience,
    jobs: usize,
) -> (Vec<Fetched>, bool) {
    let bar = progress::things(wanted.versions.len() as u64, "versions");
    let places = Arc::new(Semaphore::new(jobs));
    let mut running = JoinSet::new();
    for (module, hashes) in wanted.versions.clone() {
        let (client, places) = (Arc::clone(&client), Arc::clone(&places));
        running.spawn(async move {
            // Nobody closes it.
            let _place = places.acquire_owned().await;
            fetch::version(&client, patience, &module, &hashes).await
        });
    }
    let mut fetched = Vec::new();
    let interrupted = loop {
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok(files)) => {
                    fetched.extend(files);
                    bar.inc(1);
                }
                // A task that ended by itself has said why.
                Some(Err(_)) => {}
                None => break false,
            },
            _ = tokio::signal::ctrl_c() => break true,
        }
    };
    bar.finish_and_clear();
    fetched.sort_by(|a: &Fetched, b: &Fetched| (&a.version, a.file).cmp(&(&b.version, b.file)));
    (fetched, interrupted)
}
