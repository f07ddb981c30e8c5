//! Queries as Grafana sends them: with its intervals and the choice of the variables in place.

use std::collections::BTreeMap;

use modgate_harness::grafana::{Answers, Board, Query, Series, boards, list, text};
use modgate_harness::stack::Prometheus;
use serde_json::Value;

/// A Grafana on a Prometheus that shows a time.
#[derive(Clone, Copy, Debug)]
pub struct Grafana<'p> {
    /// Its data source.
    pub prometheus: &'p Prometheus,
    /// The time shown, in seconds since 1970.
    pub from: f64,
    /// See `from`.
    pub to: f64,
}

/// The choice that a dashboard opens with, by variable.
pub type Choice = BTreeMap<String, String>;

impl Grafana<'_> {
    /// What is chosen when a dashboard is opened: all that its variables offer.
    ///
    /// # Panics
    /// Where a variable has nothing to offer.
    pub fn open(&self, board: &Board) -> Choice {
        let mut choice = Choice::new();
        for variable in board.variables() {
            let name = text(&variable["name"]).to_owned();
            if variable["type"] == "textbox" {
                choice.insert(name, text(&variable["query"]).to_owned());
                continue;
            }
            let Some(query) = variable["query"]["query"].as_str() else {
                // The data source and the filters ask nothing.
                continue;
            };
            let inner = query.strip_prefix("label_values(").unwrap();
            let (metric, label) = inner.trim_end_matches(')').split_once(", ").unwrap();
            let path = format!("label/{label}/values");
            let times = [self.from.to_string(), self.to.to_string()];
            let parameters = [
                ("match[]", metric),
                ("start", &times[0]),
                ("end", &times[1]),
            ];
            let values = self.prometheus.ask(&path, &parameters);
            let values = values.unwrap_or_else(|e| panic!("{}: {name}: {e}", board.uid()));
            let offers = !list(&values).is_empty();
            assert!(offers, "{}: nothing for {name}", board.uid());
            choice.insert(name, text(&variable["allValue"]).to_owned());
        }
        choice
    }

    /// The expression that Prometheus gets.
    ///
    /// # Panics
    /// Where a variable is left in it.
    pub fn expand(&self, expression: &str, choice: &Choice) -> String {
        let seconds = (self.to - self.from).ceil();
        // With a step and a scrape interval of a second, four of the latter.
        let mut expanded = expression
            .replace("$__rate_interval", "4s")
            .replace("$__range", &format!("{seconds}s"));
        for (name, value) in choice {
            expanded = expanded.replace(&format!("${name}"), value);
        }
        // `$1` is Prometheus' own.
        let is_left = expanded.replace("\"$1\"", "").contains('$');
        assert!(!is_left, "what is that: {expanded}");
        expanded
    }

    /// What comes back.
    ///
    /// # Errors
    /// What Prometheus says where it refuses.
    pub fn ask(&self, query: &Query, choice: &Choice) -> Result<Vec<Series>, String> {
        let expression = self.expand(&query.expression, choice);
        let times = [self.from.to_string(), self.to.to_string()];
        let answer = if query.instant {
            let parameters = [("query", &*expression), ("time", &*times[1])];
            self.prometheus.ask("query", &parameters)?
        } else {
            let parameters = [
                ("query", &*expression),
                ("start", &*times[0]),
                ("end", &*times[1]),
                ("step", "1"),
            ];
            self.prometheus.ask("query_range", &parameters)?
        };
        Ok(list(&answer["result"]).iter().map(series).collect())
    }

    /// What all dashboards show, for pictures of them.
    ///
    /// # Errors
    /// What Prometheus says where it refuses.
    pub fn answers(&self) -> Result<Answers, String> {
        let mut series = BTreeMap::new();
        for board in boards() {
            let mut choice = self.open(&board);
            if board.uid() == "modgate-tenant" {
                // It is opened from the table of tenants.
                choice.insert("tenant".to_owned(), "bank".to_owned());
            }
            for query in board.queries() {
                let brought = self.ask(&query, &choice)?;
                series.insert(query.place, brought);
            }
        }
        let (from, to) = (self.from, self.to);
        Ok(Answers { from, to, series })
    }

    /// What a panel's first query brings.
    ///
    /// # Panics
    /// Where there is no such panel, or Prometheus refuses.
    pub fn panel(&self, board: &Board, title: &str, choice: &Choice) -> Vec<Series> {
        let place = format!("{}: {title}: A", board.uid());
        let queries = board.queries();
        let query = queries.iter().find(|query| query.place == place);
        let query = query.unwrap_or_else(|| panic!("no {place}"));
        self.ask(query, choice)
            .unwrap_or_else(|e| panic!("{place}: {e}"))
    }
}

/// The one with this label.
#[track_caller]
pub fn with<'s>(all: &'s [Series], label: &str, value: &str) -> &'s Series {
    let found = all
        .iter()
        .find(|series| series.labels.get(label).is_some_and(|v| v == value));
    found.unwrap_or_else(|| panic!("no {label}={value} in {all:?}"))
}

fn series(value: &Value) -> Series {
    let labels = value["metric"].as_object().into_iter().flatten();
    let labels = labels.map(|(name, value)| (name.clone(), text(value).to_owned()));
    let one = value.get("value").into_iter();
    let points = one.chain(list(&value["values"])).map(|point| {
        let number: f64 = text(&point[1]).parse().unwrap();
        (point[0].as_f64().unwrap(), number)
    });
    Series {
        labels: labels.collect(),
        points: points.filter(|(_, value)| value.is_finite()).collect(),
    }
}
