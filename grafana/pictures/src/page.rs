//! A dashboard as a picture: its head, and each panel in its place with its frame.

use std::path::Path;

use modgate_harness::grafana::{Answers, Board, boards, list, text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde_json::Value;

use crate::panel::Panel;
use crate::paper::{Area, Drawn, EDGE, INK, PALE, PAPER, style, write};
use crate::words::fitting;
use crate::{chart, figure, grid};

/// A column and a line of the grid, the space between panels, and the head of the page, in pixels.
const COLUMN: i32 = 50;
const LINE: i32 = 30;
const GAP: i32 = 4;
const HEAD: i32 = 46;

/// Draws all dashboards into a folder, as `UID.svg`.
pub fn draw_all(answers: &Answers, folder: &Path) -> Drawn {
    std::fs::create_dir_all(folder)?;
    for board in boards() {
        let file = folder.join(format!("{}.svg", board.uid()));
        draw(answers, &board, &file)?;
    }
    Ok(())
}

fn draw(answers: &Answers, board: &Board, file: &Path) -> Drawn {
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
        let queries = board.queries().into_iter().filter(|query| {
            let of_it = format!("{}: {}: ", board.uid(), text(&panel["title"]));
            query.place.starts_with(&of_it)
        });
        let mut series = Vec::new();
        for query in queries {
            let brought = answers.series.get(&query.place);
            series.push(
                brought
                    .ok_or_else(|| format!("no answer of {}", query.place))?
                    .clone(),
            );
        }
        draw_panel(&Panel::new(panel, series, answers.from, answers.to), &area)?;
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

fn draw_panel(panel: &Panel<'_>, area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let frame = [(0, 0), (width - 1, height - 1)];
    area.draw(&Rectangle::new(frame, WHITE.filled()))?;
    area.draw(&Rectangle::new(frame, EDGE))?;
    let title = fitting(text(&panel.json["title"]), width - 16, 13);
    write(area, &title, (8, 8), 13, &INK)?;
    let inner = area.clone().shrink((8, 28), (width - 16, height - 34));
    match text(&panel.json["type"]) {
        "stat" => figure::one(panel, &inner),
        "bargauge" => figure::bars(panel, &inner),
        "table" => grid::table(panel, &inner),
        "state-timeline" => grid::timeline(panel, &inner),
        "status-history" => grid::history(panel, &inner),
        "heatmap" => grid::heat(panel, &inner),
        "timeseries" => chart::lines(panel, &inner),
        kind => Err(format!("no picture of a {kind}").into()),
    }
}

#[cfg(test)]
mod tests {
    use modgate_harness::grafana::Series;

    use super::*;

    /// Every label that a panel's names or columns want, and a value at each second.
    fn made() -> Answers {
        let labels = [
            "tenant",
            "operation",
            "cache_status",
            "variant",
            "backend",
            "instance",
        ];
        let series = |number: usize| Series {
            labels: labels
                .iter()
                .map(|label| ((*label).to_owned(), format!("{label}{number}")))
                .chain([("le".to_owned(), format!("{}", number + 1))])
                .collect(),
            points: (0..60)
                .map(|at| (f64::from(at), (number * 7) as f64))
                .collect(),
        };
        let queries = boards().into_iter().flat_map(|board| board.queries());
        Answers {
            from: 0.0,
            to: 60.0,
            series: queries
                .map(|query| (query.place, vec![series(1), series(2)]))
                .collect(),
        }
    }

    #[test]
    fn every_dashboard_is_drawn_with_all_of_its_panels() {
        let folder = tempfile::tempdir().unwrap();
        draw_all(&made(), folder.path()).unwrap();
        let mut wrong = Vec::new();
        for board in boards() {
            let file = folder.path().join(format!("{}.svg", board.uid()));
            let picture = std::fs::read_to_string(&file).unwrap();
            for panel in board.top() {
                let title = text(&panel["title"]);
                let start: String = title.chars().take(6).collect();
                if !picture.contains(&start) {
                    wrong.push(format!("{}: no panel {title}", board.uid()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_query_without_an_answer_is_named() {
        let mut answers = made();
        let (place, _) = answers.series.pop_first().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = draw_all(&answers, folder.path()).unwrap_err().to_string();
        assert_eq!(error, format!("no answer of {place}"));
    }
}
