//! Tables, states, cells and heat maps.

use std::collections::{BTreeMap, BTreeSet};

use modgate_harness::grafana::{Series, list, text};
use plotters::prelude::*;
use serde_json::Value;

use crate::panel::Panel;
use crate::paper::{Area, Drawn, EDGE, INK, PALE, write};
use crate::words::{colour, colour_of, fitting, number, steps};

/// The room for names at the left, in pixels.
const NAMES: i32 = 130;
const LINE: i32 = 26;

/// How a column of a table looks, by an override of its name.
fn look<'j>(panel: &'j Panel<'_>, column: &str, what: &str) -> Option<&'j Value> {
    let overrides = list(&panel.json["fieldConfig"]["overrides"]).iter();
    let mut of_it = overrides.filter(|o| o["matcher"]["options"] == column);
    of_it.find_map(|o| {
        let mut properties = list(&o["properties"]).iter();
        Some(&properties.find(|p| p["id"] == what)?["value"])
    })
}

/// A line for each combination of labels, a column for each of them and for each query.
pub fn table(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let organized = &list(&panel.json["transformations"])[1]["options"];
    let order = organized["indexByName"].as_object().into_iter().flatten();
    let headings = &organized["renameByName"];
    let labels: BTreeMap<u64, &String> = order
        .filter(|(name, _)| headings[name.as_str()].is_null())
        .filter_map(|(name, at)| Some((at.as_u64()?, name)))
        .collect();
    let columns: Vec<&str> = headings
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
        .map(text)
        .collect();
    let keys = |series: &Series| -> Vec<String> {
        let value = |label: &&String| series.labels.get(*label).cloned().unwrap_or_default();
        labels.values().map(value).collect()
    };
    let mut rows: BTreeMap<Vec<String>, Vec<Option<f64>>> = BTreeMap::new();
    for (at, answer) in panel.answers.iter().enumerate() {
        for series in answer.iter().filter(|series| !series.points.is_empty()) {
            let row = rows
                .entry(keys(series))
                .or_insert_with(|| vec![None; columns.len()]);
            row[at] = Some(series.last());
        }
    }
    let count = (labels.len() + columns.len()) as i32;
    let cell = width / count;
    let titles = labels
        .values()
        .map(|name| name.as_str())
        .chain(columns.iter().copied());
    for (at, title) in titles.enumerate() {
        let left = at as i32 * cell;
        write(
            area,
            &fitting(title, cell - 8, 12),
            (left + 6, 2),
            12,
            &PALE,
        )?;
    }
    for (line, (keys, values)) in rows.iter().enumerate() {
        let top = 22 + line as i32 * LINE;
        if top + LINE > height {
            break;
        }
        area.draw(&PathElement::new([(0, top), (width, top)], EDGE))?;
        for (at, key) in keys.iter().enumerate() {
            let left = at as i32 * cell + 6;
            write(area, &fitting(key, cell - 8, 13), (left, top + 6), 13, &INK)?;
        }
        for (at, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            let left = (keys.len() + at) as i32 * cell;
            let unit = look(panel, columns[at], "unit").map_or("short", text);
            let mut ink = INK;
            if let Some(thresholds) = look(panel, columns[at], "thresholds") {
                let fill = colour_of(*value, &steps(thresholds));
                let corners = [(left + 1, top + 1), (left + cell - 1, top + LINE - 1)];
                area.draw(&Rectangle::new(corners, fill.filled()))?;
                ink = WHITE;
            }
            let state = look(panel, columns[at], "mappings");
            let state = state.map(|states| text(&states[0]["options"][format!("{value}")]["text"]));
            let shown = state.map_or_else(|| number(*value, unit), ToOwned::to_owned);
            write(area, &shown, (left + 6, top + 6), 13, &ink)?;
        }
    }
    Ok(())
}

/// Which state held when: parts with the same value are one.
pub fn timeline(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let states = &panel.json["fieldConfig"]["defaults"]["mappings"][0]["options"];
    rows(panel, area, |area, (left, right, top, bottom), series| {
        let across = |at: f64| {
            let share = (at - panel.from) / (panel.to - panel.from);
            left + (f64::from(right - left) * share) as i32
        };
        for part in series.points.chunk_by(|(_, one), (_, other)| one == other) {
            let (first, last) = (part[0], part[part.len() - 1]);
            let state = &states[format!("{}", first.1)];
            let (start, end) = (across(first.0), across(last.0 + 1.0).min(right));
            let fill = colour(text(&state["color"]));
            let corners = [(start, top), (end, bottom)];
            area.draw(&Rectangle::new(corners, fill.filled()))?;
            let name = fitting(text(&state["text"]), end - start - 8, 12);
            let middle = (top + bottom) / 2 - 7;
            if end - start > 40 {
                write(area, &name, (start + 6, middle), 12, &WHITE)?;
            }
        }
        Ok(())
    })
}

/// A cell for each second, coloured by its value.
pub fn history(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let steps = panel.steps();
    rows(panel, area, |area, (left, right, top, bottom), series| {
        let width = f64::from(right - left) / (panel.to - panel.from).ceil();
        for (at, value) in &series.points {
            let start = f64::from(left) + (at - panel.from) * width;
            let corners = [(start as i32, top), ((start + width) as i32 - 1, bottom)];
            area.draw(&Rectangle::new(corners, colour_of(*value, &steps).filled()))?;
        }
        Ok(())
    })
}

/// A line for each series: its name, and what `draw` makes of the rest (left, right, top, bottom).
fn rows(
    panel: &Panel<'_>,
    area: &Area<'_>,
    draw: impl Fn(&Area<'_>, (i32, i32, i32, i32), &Series) -> Drawn,
) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let named = panel.named();
    let line = height / (named.len() as i32).max(1);
    for (at, (name, series)) in named.iter().enumerate() {
        let top = at as i32 * line;
        let middle = top + line / 2 - 7;
        write(area, &fitting(name, NAMES - 6, 11), (0, middle), 11, &INK)?;
        draw(area, (NAMES, width, top + 2, top + line - 2), series)?;
    }
    Ok(())
}

/// Buckets from below to above, darker where more fell into them.
pub fn heat(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let bound = |series: &Series| -> f64 {
        let le = series.labels.get("le").map_or("+Inf", String::as_str);
        le.parse().unwrap_or(f64::INFINITY)
    };
    let mut buckets: Vec<(f64, &Series)> = panel
        .answers
        .iter()
        .flatten()
        .map(|s| (bound(s), s))
        .collect();
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    // Each bucket counts all below it; here only its own.
    let mut below: BTreeMap<i64, f64> = BTreeMap::new();
    let mut cells: Vec<(usize, i64, f64)> = Vec::new();
    for (row, (_, series)) in buckets.iter().enumerate() {
        for (at, value) in &series.points {
            let step = (at - panel.from).round() as i64;
            let under = below.insert(step, *value).unwrap_or(0.0);
            // Less than that is what rounding leaves.
            let own = Some(value - under).filter(|own| *own > 0.01);
            cells.push((row, step, own.unwrap_or(0.0)));
        }
    }
    let used: BTreeSet<usize> = cells
        .iter()
        .filter(|(_, _, n)| *n > 0.0)
        .map(|(row, ..)| *row)
        .collect();
    let rows = used
        .last()
        .map_or(1, |last| last + 2)
        .min(buckets.len().max(1));
    let highest = cells
        .iter()
        .map(|(_, _, n)| *n)
        .fold(f64::MIN_POSITIVE, f64::max);
    let (left, bottom) = (60, height - 4);
    let tall = f64::from(bottom) / rows as f64;
    let wide = f64::from(width - left) / (panel.to - panel.from).ceil();
    for (row, (bound, _)) in buckets.iter().take(rows).enumerate() {
        let top = bottom - (tall * (row as f64 + 1.0)) as i32;
        write(area, &number(*bound, panel.unit()), (0, top - 6), 11, &PALE)?;
    }
    for (row, step, count) in cells
        .into_iter()
        .filter(|(row, _, n)| *row < rows && *n > 0.0)
    {
        let start = f64::from(left) + wide * step as f64;
        let top = f64::from(bottom) - tall * (row as f64 + 1.0);
        let corners = [
            (start as i32, top as i32),
            ((start + wide) as i32 - 1, (top + tall) as i32 - 1),
        ];
        let strength = 0.12 + 0.88 * (count / highest).sqrt();
        let fill = RGBColor(196, 60, 20).mix(strength);
        area.draw(&Rectangle::new(corners, fill.filled()))?;
    }
    Ok(())
}
