//! The shares for people.

use std::io::{IsTerminal, stdout};

use envoy_wasm_scenario::shown;

use super::clients::Clients;
use super::shares::Shares;
use crate::out::count;
use crate::table::{number, table};

/// A table for each split, and what was not counted.
pub(super) fn shares(all: &[Shares], clients: &Clients) -> String {
    let mut text = String::new();
    for shares in all {
        let total = clients.all.len() as f64;
        let percent = |clients: u64| number(format!("{:.1} %", clients as f64 * 100.0 / total));
        let columns = ["variant", "version", "stage", "clients", "share"];
        let mut table = table(&columns, stdout().is_terminal());
        for group in &shares.groups {
            table.add_row([
                group.variant.as_str().into(),
                group.version.as_str().into(),
                group.stage.into(),
                number(group.clients),
                percent(group.clients),
            ]);
        }
        for (what, clients) in [
            ("refused", shares.refused),
            ("not in the split", shares.left_alone),
        ] {
            if clients > 0 {
                let nothing = || "-".into();
                table.add_row([
                    what.into(),
                    nothing(),
                    nothing(),
                    number(clients),
                    percent(clients),
                ]);
            }
        }
        let of = count(clients.all.len(), "client");
        text.push_str(&format!(
            "{}, {}: {of}\n{table}\n",
            shares.split, shares.module
        ));
    }
    if let Some((line, why)) = &clients.first_skipped {
        let lines = count(clients.skipped, "line");
        text.push_str(&format!(
            "{lines} not read, the first is line {line}: {}\n",
            shown(why, 200)
        ));
    }
    if clients.all.iter().any(|client| client.who.is_none()) {
        text.push_str("Some clients have no known identity: a draw by client assigns them the control variant.\n");
    }
    text
}
