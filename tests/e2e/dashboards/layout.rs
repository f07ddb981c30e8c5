//! Grafana's grid, and what every panel must have.

use std::collections::BTreeSet;

use modgate_harness::grafana::{Board, boards, list, text};
use modgate_harness::tools::root;
use serde_json::Value;

const COLUMNS: u64 = 24;

/// The cells of a panel.
fn cells(panel: &Value) -> impl Iterator<Item = (u64, u64)> {
    let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
    let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
    assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{}", panel["title"]);
    (y..y + h).flat_map(move |y| (x..x + w).map(move |x| (x, y)))
}

/// Panels together cover whole lines of the grid, each cell once.
fn covers_whole_lines(of: &str, panels: &[Value]) {
    let mut taken = BTreeSet::new();
    for panel in panels {
        for cell in cells(panel) {
            assert!(
                taken.insert(cell),
                "{of}: {} is over another at {cell:?}",
                panel["title"]
            );
        }
    }
    let lines: BTreeSet<u64> = taken.iter().map(|(_, y)| *y).collect();
    let (first, last) = (*lines.first().unwrap(), *lines.last().unwrap());
    assert_eq!(
        taken.len() as u64,
        (last - first + 1) * COLUMNS,
        "{of} has gaps"
    );
}

#[test]
fn panels_neither_overlap_nor_leave_gaps() {
    for board in boards() {
        covers_whole_lines(board.uid(), board.top());
        for row in board
            .top()
            .iter()
            .filter(|panel| panel["collapsed"] == true)
        {
            let title = format!("{}: {}", board.uid(), text(&row["title"]));
            covers_whole_lines(&title, list(&row["panels"]));
        }
        let all = board.panels().len() + board.top().iter().filter(|p| p["type"] == "row").count();
        let ids: BTreeSet<u64> = (board.top().iter())
            .chain(board.panels())
            .map(|panel| panel["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids.len(), all, "{}: an id is there twice", board.uid());
    }
}

/// The first screen is read without a click; detail waits in folded rows.
#[test]
fn the_first_row_is_open() {
    for board in boards() {
        let first = &board.top()[0];
        assert_eq!(first["type"], "row", "{}", board.uid());
        assert_eq!(first["collapsed"], false, "{}", board.uid());
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    for board in boards() {
        let mut titles = BTreeSet::new();
        for panel in board.panels() {
            let title = text(&panel["title"]);
            let place = format!("{}: {title}", board.uid());
            assert!(titles.insert(title.to_owned()), "{place} is there twice");
            assert!(
                text(&panel["description"]).len() > 20,
                "{place}: no description"
            );
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text(&defaults["unit"]).is_empty(), "{place}: no unit");
            let steps = list(&defaults["thresholds"]["steps"]);
            assert!(!steps.is_empty(), "{place}: no thresholds");
            assert!(
                steps[0]["value"].is_null(),
                "{place}: the first step has a value"
            );
            let values: Vec<f64> = steps.iter().filter_map(|s| s["value"].as_f64()).collect();
            assert!(values.is_sorted(), "{place}: {values:?}");
            assert!(!list(&panel["targets"]).is_empty(), "{place}: no query");
            for asks in std::iter::once(panel).chain(list(&panel["targets"])) {
                assert_eq!(asks["datasource"]["uid"], "${datasource}", "{place}");
            }
        }
    }
}

#[test]
fn each_has_its_address_and_leads_to_the_others() {
    let boards = boards();
    let uids: BTreeSet<&str> = boards.iter().map(Board::uid).collect();
    let all = [
        "health",
        "integrity",
        "overview",
        "rollout",
        "splits",
        "tenant",
    ];
    assert!(
        uids.iter()
            .eq(all.map(|name| format!("modgate-{name}")).iter())
    );
    for board in &boards {
        let uid = board.uid();
        assert_eq!(board.file.file_stem().unwrap().to_string_lossy(), uid);
        assert_eq!(board.json["schemaVersion"], 39, "{uid}");
        assert_eq!(board.variables()[0]["name"], "datasource", "{uid}");
        assert_eq!(board.variables()[0]["query"], "prometheus", "{uid}");
        // By their tag all lead to all, in the same time and with the same choice.
        assert_eq!(board.json["tags"], serde_json::json!(["modgate"]), "{uid}");
        let link = &board.json["links"][0];
        assert_eq!(link["type"], "dashboards", "{uid}");
        assert_eq!(link["tags"], board.json["tags"], "{uid}");
        assert_eq!(link["includeVars"], true, "{uid}");
        assert_eq!(link["keepTime"], true, "{uid}");
        for address in addresses(&board.json) {
            let (target, choice) = address[3..].split_once('?').unwrap();
            let target = boards.iter().find(|board| board.uid() == target);
            let target = target.unwrap_or_else(|| panic!("{uid}: {address} leads nowhere"));
            for chosen in choice
                .split('&')
                .filter_map(|part| part.strip_prefix("var-"))
            {
                let name = chosen.split('=').next();
                let known = target
                    .variables()
                    .iter()
                    .any(|v| v["name"].as_str() == name);
                assert!(known, "{uid}: {address}: no variable {chosen}");
            }
            // What is chosen here and can be there is kept on the way.
            for variable in target.variables() {
                let name = text(&variable["name"]);
                let is_here = board.variables().iter().any(|v| v["name"] == name);
                let is_kept = choice.contains(&format!("${{{name}:queryparam}}"))
                    || choice.contains(&format!("var-{name}="));
                assert!(is_kept || !is_here, "{uid}: {address} loses {name}");
            }
        }
    }
    let leads = boards
        .iter()
        .any(|board| !addresses(&board.json).is_empty());
    assert!(leads, "no table leads to a tenant");
}

/// All addresses of dashboards in it.
fn addresses(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if text.starts_with("/d/") => vec![text],
        Value::Array(all) => all.iter().flat_map(addresses).collect(),
        Value::Object(all) => all.values().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

/// An alert that a description names is there, so its page is.
#[test]
fn descriptions_name_alerts_that_exist() {
    let mut named = 0;
    for board in boards() {
        for panel in board.panels() {
            let about = text(&panel["description"]);
            let words = about.split(|c: char| !c.is_ascii_alphanumeric());
            for alert in words.filter(|word| word.len() > 7 && word.starts_with("Modgate")) {
                let page = root().join(format!("docs/runbooks/{alert}.md"));
                assert!(page.exists(), "{}: {about}", board.uid());
                named += 1;
            }
        }
    }
    assert!(named >= 8, "{named}");
}
