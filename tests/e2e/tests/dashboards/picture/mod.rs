//! Previews of the dashboards, drawn of what their queries brought. Grafana draws them in its own way;
//! what is the same are places, titles, values, colours and thresholds.

mod chart;
mod figure;
mod grid;
mod panel;
mod words;

use std::error::Error;
use std::path::Path;

use modgate_harness::grafana::{Board, boards, list, text};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde_json::Value;

use crate::asked::Grafana;
use panel::Panel;

/// A part of the picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), Box<dyn Error>>;

/// A column and a line of the grid, the space between panels, and the head of the page, in pixels.
const COLUMN: i32 = 50;
const LINE: i32 = 30;
const GAP: i32 = 4;
const HEAD: i32 = 46;

pub const INK: RGBColor = RGBColor(36, 41, 46);
pub const PALE: RGBColor = RGBColor(110, 118, 129);
pub const EDGE: RGBColor = RGBColor(222, 225, 230);
const PAPER: RGBColor = RGBColor(244, 245, 247);

/// Draws all dashboards into a folder, as `UID.svg`.
pub fn draw_all(grafana: Grafana<'_>, folder: &Path) -> Drawn {
    std::fs::create_dir_all(folder)?;
    for board in boards() {
        let file = folder.join(format!("{}.svg", board.uid()));
        draw(&grafana, &board, &file)?;
    }
    Ok(())
}

fn draw(grafana: &Grafana<'_>, board: &Board, file: &Path) -> Drawn {
    let mut choice = grafana.open(board);
    if board.uid() == "modgate-tenant" {
        // It is opened from the table of tenants.
        choice.insert("tenant".to_owned(), "bank".to_owned());
    }
    let bottom = board.top().iter().map(|panel| place(panel).1.1);
    let height = HEAD + bottom.max().unwrap_or(0) + GAP;
    let size = (24 * COLUMN as u32, height as u32);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&PAPER)?;
    write(&root, text(&board.json["title"]), (12, 12), 20, &INK)?;
    let note = "a preview drawn from real query results; Grafana draws it in its own way";
    let style = style(12, &PALE).pos(Pos::new(HPos::Right, VPos::Top));
    root.draw_text(note, &style, (24 * COLUMN - 12, 18))?;
    for panel in board.top() {
        let ((left, top), (right, bottom)) = place(panel);
        let area = root.clone().shrink(
            (left + GAP, top + HEAD + GAP),
            (right - left - GAP, bottom - top - GAP),
        );
        if panel["type"] == "row" {
            heading(&area, panel)?;
            continue;
        }
        let series = board.queries().into_iter().filter(|query| {
            let of_it = format!("{}: {}: ", board.uid(), text(&panel["title"]));
            query.place.starts_with(&of_it)
        });
        let series = series.map(|query| grafana.ask(&query, &choice));
        let answers = series.collect::<Result<Vec<_>, String>>()?;
        Panel::new(panel, answers, grafana.from, grafana.to).draw(&area)?;
    }
    root.present()?;
    Ok(())
}

/// The corners of a panel, below the head of the page.
fn place(panel: &Value) -> ((i32, i32), (i32, i32)) {
    let side = |name: &str| panel["gridPos"][name].as_i64().unwrap_or_default() as i32;
    let (left, top) = (side("x") * COLUMN, side("y") * LINE);
    (
        (left, top),
        (left + side("w") * COLUMN, top + side("h") * LINE),
    )
}

fn heading(area: &Area<'_>, row: &Value) -> Drawn {
    let inside = list(&row["panels"]).len();
    let title = text(&row["title"]);
    let title = match inside {
        0 => format!("▾ {title}"),
        1 => format!("▸ {title}  (1 panel)"),
        inside => format!("▸ {title}  ({inside} panels)"),
    };
    write(area, &title, (8, 6), 14, &INK)
}

/// Text of that size in pixels, from its upper left corner.
pub fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, color: &RGBColor) -> Drawn {
    area.draw_text(text, &style(size, color), at)?;
    Ok(())
}

/// The one font there is.
pub fn style(size: i32, color: &RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(color)
}
