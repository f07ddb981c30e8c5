//! A panel: its frame, its title, and what is in it by its kind.

use modgate_harness::grafana::{list, text};
use plotters::prelude::*;
use serde_json::Value;

use super::words::{fitting, name, steps};
use super::{Area, Drawn, EDGE, INK, chart, figure, grid, write};
use crate::asked::Series;

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

    pub fn draw(&self, area: &Area<'_>) -> Drawn {
        let (width, height) = area.dim_in_pixel();
        let (width, height) = (width as i32, height as i32);
        let frame = [(0, 0), (width - 1, height - 1)];
        area.draw(&Rectangle::new(frame, WHITE.filled()))?;
        area.draw(&Rectangle::new(frame, EDGE))?;
        let title = fitting(text(&self.json["title"]), width - 16, 13);
        write(area, &title, (8, 8), 13, &INK)?;
        let inner = area.clone().shrink((8, 28), (width - 16, height - 34));
        match text(&self.json["type"]) {
            "stat" => figure::one(self, &inner),
            "bargauge" => figure::bars(self, &inner),
            "table" => grid::table(self, &inner),
            "state-timeline" => grid::timeline(self, &inner),
            "status-history" => grid::history(self, &inner),
            "heatmap" => grid::heat(self, &inner),
            "timeseries" => chart::lines(self, &inner),
            kind => Err(format!("no picture of a {kind}").into()),
        }
    }
}
