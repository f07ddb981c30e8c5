//! A panel: its frame, its title, and what is in it by its kind.

use modgate_harness::grafana::{Series, list, text};
use plotters::prelude::*;
use serde_json::Value;

use crate::words::{name, steps};

/// A panel with what its queries brought.
pub struct Panel<'j> {
    /// As Grafana reads it.
    pub json: &'j Value,
    /// The series of each query.
    pub answers: Vec<Vec<Series>>,
    /// The time shown, in seconds since 1970.
    pub from: f64,
    /// See `from`.
    pub to: f64,
}

impl<'j> Panel<'j> {
    pub fn new(json: &'j Value, answers: Vec<Vec<Series>>, from: f64, to: f64) -> Self {
        Self {
            json,
            answers,
            from,
            to,
        }
    }

    pub fn unit(&self) -> &str {
        text(&self.json["fieldConfig"]["defaults"]["unit"])
    }

    pub fn steps(&self) -> Vec<(f64, RGBColor)> {
        steps(&self.json["fieldConfig"]["defaults"]["thresholds"])
    }

    /// All series that have points, with their names.
    pub fn named(&self) -> Vec<(String, &Series)> {
        let targets = list(&self.json["targets"]).iter();
        let pairs = targets.zip(&self.answers).flat_map(|(target, series)| {
            let pattern = text(&target["legendFormat"]);
            series
                .iter()
                .map(move |series| (name(series, pattern), series))
        });
        let mut named: Vec<_> = pairs
            .filter(|(_, series)| !series.points.is_empty())
            .collect();
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        named
    }
}
