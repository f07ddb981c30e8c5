//! Numbers with their units, names of series, and colours.

use modgate_harness::grafana::{Series, list, text};
use plotters::prelude::RGBColor;
use serde_json::Value;

/// As Grafana's units write it, nearly.
pub fn number(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{} %", short(value * 100.0)),
        "reqps" => format!("{}/s", short(value)),
        "ms" if value >= 1000.0 => format!("{} s", short(value / 1000.0)),
        "ms" => format!("{} ms", short(value)),
        "Bps" => format!("{}/s", bytes(value)),
        "bytes" => bytes(value),
        _ => short(value),
    }
}

fn bytes(value: f64) -> String {
    let powers = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let found = powers.into_iter().find(|(power, _)| value >= *power);
    found.map_or_else(
        || format!("{} B", short(value)),
        |(power, name)| format!("{} {name}", short(value / power)),
    )
}

fn short(value: f64) -> String {
    let places = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let written = format!("{value:.places$}");
    if written.contains('.') {
        written
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        written
    }
}

/// The name of a series by the query's pattern.
pub fn name(series: &Series, pattern: &str) -> String {
    if pattern == "__auto" {
        let values: Vec<&str> = series.labels.values().map(String::as_str).collect();
        return values.join(" ");
    }
    let mut name = pattern.to_owned();
    for (label, value) in &series.labels {
        name = name.replace(&format!("{{{{{label}}}}}"), value);
    }
    name
}

/// What fits into so many pixels at this size of letters.
pub fn fitting(text: &str, width: i32, size: i32) -> String {
    let fits = (f64::from(width) / (f64::from(size) * 0.55)) as usize;
    if text.chars().count() <= fits {
        return text.to_owned();
    }
    let kept: String = text.chars().take(fits.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The value and colour of each threshold; the first holds from the beginning.
pub fn steps(thresholds: &Value) -> Vec<(f64, RGBColor)> {
    let step = |step: &Value| {
        let from = step["value"].as_f64().unwrap_or(f64::NEG_INFINITY);
        (from, colour(text(&step["color"])))
    };
    list(&thresholds["steps"]).iter().map(step).collect()
}

/// The colour of a value.
pub fn colour_of(value: f64, steps: &[(f64, RGBColor)]) -> RGBColor {
    let held = steps.iter().rev().find(|(from, _)| value >= *from);
    held.map_or(RGBColor(0, 0, 0), |(_, colour)| *colour)
}

/// By Grafana's names.
pub fn colour(name: &str) -> RGBColor {
    match name {
        "green" => RGBColor(86, 166, 75),
        "yellow" => RGBColor(222, 181, 20),
        "orange" => RGBColor(237, 129, 40),
        "red" => RGBColor(212, 60, 69),
        "purple" => RGBColor(143, 92, 186),
        _ => RGBColor(64, 124, 204),
    }
}

/// For the series of a chart, one after the other.
pub fn palette(number: usize) -> RGBColor {
    const COLOURS: [RGBColor; 8] = [
        RGBColor(86, 166, 75),
        RGBColor(64, 124, 204),
        RGBColor(237, 129, 40),
        RGBColor(143, 92, 186),
        RGBColor(212, 60, 69),
        RGBColor(43, 169, 179),
        RGBColor(200, 160, 20),
        RGBColor(140, 110, 90),
    ];
    COLOURS[number % COLOURS.len()]
}
