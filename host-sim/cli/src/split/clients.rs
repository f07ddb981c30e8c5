//! Who asks: a list, or a log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use modgate_policy::model::identity::Facts;
use serde_json::Value;

use crate::policy_file::log::each_line;

/// Clients, each once.
#[derive(Debug, Default)]
pub(super) struct Clients {
    pub(super) all: BTreeSet<Client>,
    /// Lines of which no client can be read, with why the first of them cannot.
    pub(super) skipped: u64,
    pub(super) first_skipped: Option<(u64, String)>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Client {
    pub(super) tenant: String,
    /// What it is told apart by; `None` where nothing is known.
    pub(super) who: Option<String>,
}

/// What draws see of a client. What it is told apart by stands for an address, whatever it is: a draw
/// depends on the value alone.
pub(super) struct Known<'c>(pub(super) &'c Client);

impl Facts for Known<'_> {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let who = self
            .0
            .who
            .as_ref()
            .filter(|_| path == ["source", "address"])?;
        // The engine takes the port off.
        Some(format!("{who}:0").into_bytes())
    }
}

impl Clients {
    /// Reads a list of clients, or an access log.
    ///
    /// # Errors
    /// Where the file cannot be read, or nobody is in it.
    pub(super) fn read(path: &Path, member: &str) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let input: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        let mut clients = Self::default();
        each_line(input, |number, line| {
            match line
                .map_err(ToOwned::to_owned)
                .and_then(|line| client(line, member))
            {
                Ok(Some(client)) => {
                    clients.all.insert(client);
                }
                Ok(None) => {}
                Err(why) => {
                    clients.skipped += 1;
                    clients.first_skipped.get_or_insert((number, why));
                }
            }
        })
        .map_err(failed)?;
        if clients.all.is_empty() {
            let why = clients
                .first_skipped
                .map(|(number, why)| format!(": line {number}: {why}"));
            let name = if path.as_os_str() == "-" {
                "standard input".into()
            } else {
                path.display().to_string()
            };
            return Err(format!("{name} has no client{}", why.unwrap_or_default()));
        }
        Ok(clients)
    }
}

/// The client of a line; `None` where the line is empty or a comment.
fn client(line: &[u8], member: &str) -> Result<Option<Client>, String> {
    let line = std::str::from_utf8(line)
        .map_err(|_| "it is not valid UTF-8")?
        .trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.starts_with('{') {
        let object: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |name: &str| {
            object[name]
                .as_str()
                .filter(|text| !matches!(*text, "" | "-"))
        };
        let tenant = text("tenant").ok_or("it names no tenant")?;
        return Ok(Some(Client {
            tenant: tenant.to_owned(),
            who: text(member).map(ToOwned::to_owned),
        }));
    }
    let mut fields = line.split_whitespace();
    match (fields.next(), fields.next(), fields.next()) {
        (Some(tenant), who, None) => Ok(Some(Client {
            tenant: tenant.to_owned(),
            who: who.map(ToOwned::to_owned),
        })),
        _ => Err("it is neither JSON nor `TENANT CLIENT`".to_owned()),
    }
}
