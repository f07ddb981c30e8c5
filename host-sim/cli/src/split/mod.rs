//! `modgate split`: which variants a list of clients would get, before anybody gets them. Every
//! assignment is the engine's.

mod clients;
mod print;
mod shares;

use std::error::Error;
use std::path::PathBuf;

use super::out;
use super::policy_file::load::the_policy;
use super::policy_file::request::header;
use clients::Clients;
use modgate_go::http::Header;
use shares::Shares;

/// The arguments of `modgate split`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each line of the list is `TENANT CLIENT`, or an access log line (JSON). CLIENT is the client's identity: the URI of a certificate, the subject of a token, a user name or an address. Every client counts once."
)]
pub(super) struct Args {
    /// The policy: a file as for `modgate check`.
    #[arg(value_name = "POLICY", default_value = "policy.json")]
    policy: PathBuf,
    /// The clients; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    clients: PathBuf,
    /// The access log field that identifies the client. The shipped access log has none; add one such as
    /// `"source":"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"`.
    #[arg(long, value_name = "MEMBER", default_value = "source")]
    client_member: String,
    /// A header that every client sends.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The split [default: all].
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let policy = the_policy(&args.policy)?.policy;
    if policy.splits().is_empty() {
        return Err("the policy has no splits".into());
    }
    let names = policy.splits().iter().map(|split| split.name.as_str());
    if let Some(wanted) = &args.split
        && !names.clone().any(|name| name == wanted)
    {
        let known = names.collect::<Vec<_>>().join(", ");
        return Err(format!("no split is named {wanted:?}; there are: {known}").into());
    }
    let headers = args.header.iter().map(|text| header(text));
    let headers: Vec<Header> = headers.collect::<Result<_, _>>()?;
    let clients = Clients::read(&args.clients, &args.client_member)?;
    let wanted = |name: &str| args.split.as_ref().is_none_or(|wanted| wanted == name);
    let shares: Vec<Shares> = policy
        .splits()
        .iter()
        .filter(|split| wanted(&split.name))
        .map(|split| Shares::of(&policy, split, &clients, &headers))
        .collect();
    let text = if args.json {
        serde_json::to_string_pretty(&shares)? + "\n"
    } else {
        print::shares(&shares, &clients)
    };
    Ok(out::print(&text)?)
}
