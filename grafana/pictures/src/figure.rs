//! Single figures, and bars.

use plotters::prelude::*;

use crate::panel::Panel;
use crate::paper::{Area, Drawn, EDGE, INK, PALE, write};
use crate::words::{colour_of, fitting, number};

/// The last value, with its course behind it.
pub fn one(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let Some((_, series)) = panel.named().into_iter().next() else {
        return write(area, "no data", (0, height / 2 - 16), 28, &PALE);
    };
    let colour = colour_of(series.last(), &panel.steps());
    let highest = series
        .points
        .iter()
        .map(|(_, value)| *value)
        .fold(0.0, f64::max);
    let trend = panel.json["options"]["graphMode"] == "area" && highest > 0.0;
    if trend {
        let across = |at: f64| (at - panel.from) / (panel.to - panel.from) * f64::from(width);
        let up = |value: f64| value / highest * f64::from(height) * 0.45;
        let point = |(at, value): &(f64, f64)| (across(*at) as i32, height - up(*value) as i32);
        let mut points: Vec<(i32, i32)> = series.points.iter().map(point).collect();
        area.draw(&PathElement::new(points.clone(), colour.stroke_width(1)))?;
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        points.extend([(last, height), (first, height)]);
        area.draw(&Polygon::new(points, colour.mix(0.15).filled()))?;
    }
    write(
        area,
        &number(series.last(), panel.unit()),
        (2, 2),
        32,
        &colour,
    )
}

/// A bar for each.
pub fn bars(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, _) = area.dim_in_pixel();
    let width = width as i32;
    let named = panel.named();
    let limit = panel.json["fieldConfig"]["defaults"]["max"].as_f64();
    let highest = named
        .iter()
        .map(|(_, series)| series.last())
        .fold(0.0, f64::max);
    let (left, right) = (110, width - 70);
    for (at, (name, series)) in named.iter().enumerate() {
        let top = 10 + at as i32 * 34;
        let share = series.last() / limit.unwrap_or(highest).max(f64::MIN_POSITIVE);
        let end = left + (f64::from(right - left) * share.min(1.0)) as i32;
        let colour = colour_of(series.last(), &panel.steps());
        write(area, &fitting(name, left - 8, 12), (0, top + 5), 12, &INK)?;
        area.draw(&Rectangle::new(
            [(left, top), (right, top + 22)],
            EDGE.filled(),
        ))?;
        area.draw(&Rectangle::new(
            [(left, top), (end, top + 22)],
            colour.filled(),
        ))?;
        let value = number(series.last(), panel.unit());
        write(area, &value, (right + 8, top + 4), 13, &colour)?;
    }
    Ok(())
}
