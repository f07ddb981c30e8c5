//! Tables on a terminal, and where there is none.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

/// The width of tables where there is no terminal that has one, in columns.
const WIDTH: u16 = 120;

/// An empty table with these headings; a terminal's own width counts, as long as there is one.
pub(super) fn table(columns: &[&str], colours: bool) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(
            columns
                .iter()
                .map(|column| Cell::new(column).add_attribute(Attribute::Bold)),
        );
    // A terminal's own, as long as the table may ask for it.
    let width = table.width().unwrap_or(WIDTH);
    table.set_width(width);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// A number, which stands at the right.
pub(super) fn number(number: impl ToString) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}
