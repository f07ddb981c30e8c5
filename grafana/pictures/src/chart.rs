//! Courses over time.

use plotters::prelude::*;

use crate::panel::Panel;
use crate::paper::{Area, Drawn, EDGE, INK, PALE, style, write};
use crate::words::{fitting, number, palette};

const LEGEND: i32 = 18;

pub fn lines(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let named = panel.named();
    if named.is_empty() {
        return write(
            area,
            "No data",
            (width / 2 - 24, height / 2 - 10),
            14,
            &PALE,
        );
    }
    let custom = &panel.json["fieldConfig"]["defaults"]["custom"];
    let is_stacked = custom["stacking"]["mode"] == "normal";
    let courses = courses(panel, is_stacked);
    let highest = courses
        .iter()
        .flatten()
        .map(|(_, value)| *value)
        .fold(0.0, f64::max);
    let limit = panel.json["fieldConfig"]["defaults"]["max"].as_f64();
    let top = limit.unwrap_or(if highest > 0.0 { highest * 1.1 } else { 1.0 });
    let unit = panel.unit();

    let plot = area.clone().shrink((0, 0), (width, height - LEGEND));
    let mut chart = ChartBuilder::on(&plot)
        .margin_top(6)
        .margin_right(10)
        .x_label_area_size(20)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..panel.to - panel.from, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(EDGE)
        .axis_style(EDGE)
        .label_style(style(11, &PALE))
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
        .y_label_formatter(&|value| number(*value, unit))
        .draw()?;
    // The highest of a stack first, so that the lower ones lie over it.
    for (at, points) in courses.iter().enumerate().rev() {
        let colour = palette(at);
        let fill = colour.mix(if is_stacked { 0.55 } else { 0.04 });
        let parts = points.split(|(_, value)| value.is_nan());
        for part in parts.filter(|part| !part.is_empty()) {
            let inside = part.iter().map(|(at, value)| (*at, value.min(top)));
            if is_stacked {
                chart.draw_series(AreaSeries::new(inside.clone(), 0.0, WHITE.filled()))?;
            }
            chart.draw_series(AreaSeries::new(inside.clone(), 0.0, fill.filled()))?;
            chart.draw_series(LineSeries::new(inside, colour.stroke_width(2)))?;
        }
    }
    for (from, colour) in panel.steps() {
        if from.is_finite() && from <= top {
            let ends = [(0.0, from), (panel.to - panel.from, from)];
            let line = DashedLineSeries::new(ends, 6, 4, colour.stroke_width(1));
            chart.draw_series(line)?;
        }
    }
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    legend(area, &names, (width, height))
}

/// The points of each series in seconds from the left; where one is missing, a NaN stands between. In a
/// stack each is on top of those before it.
fn courses(panel: &Panel<'_>, is_stacked: bool) -> Vec<Vec<(f64, f64)>> {
    let steps = (panel.to - panel.from).floor() as usize;
    let mut below = vec![0.0; steps + 1];
    let mut courses = Vec::new();
    for (_, series) in panel.named() {
        let mut values = vec![f64::NAN; steps + 1];
        for (at, value) in &series.points {
            let step = (at - panel.from).round() as usize;
            if let Some(place) = values.get_mut(step) {
                *place = *value;
            }
        }
        if is_stacked {
            for (value, below) in values.iter_mut().zip(&mut below) {
                *below += if value.is_nan() { 0.0 } else { *value };
                *value = *below;
            }
        }
        let points = values.into_iter().enumerate();
        courses.push(points.map(|(step, value)| (step as f64, value)).collect());
    }
    courses
}

fn legend(area: &Area<'_>, names: &[&str], (width, height): (i32, i32)) -> Drawn {
    let mut left = 4;
    for (at, name) in names.iter().enumerate() {
        let room = width - left - 14;
        let long = (name.chars().count() as f64 * 6.3) as i32 + 26;
        if long > room && at > 0 {
            let more = format!("+{}", names.len() - at);
            return write(area, &more, (left, height - 13), 11, &PALE);
        }
        let top = height - 10;
        let dash = [(left, top), (left + 10, top + 3)];
        area.draw(&Rectangle::new(dash, palette(at).filled()))?;
        write(
            area,
            &fitting(name, room, 11),
            (left + 14, height - 14),
            11,
            &INK,
        )?;
        left += long;
    }
    Ok(())
}
