//! What everything is drawn on, and with.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

/// A part of the picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), Box<dyn Error>>;

pub const INK: RGBColor = RGBColor(36, 41, 46);
pub const PALE: RGBColor = RGBColor(110, 118, 129);
pub const EDGE: RGBColor = RGBColor(222, 225, 230);
pub const PAPER: RGBColor = RGBColor(244, 245, 247);

/// Text of that size in pixels, from its upper left corner.
pub fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, color: &RGBColor) -> Drawn {
    area.draw_text(text, &style(size, color), at)?;
    Ok(())
}

/// The one font there is.
pub fn style(size: i32, color: &RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(color)
}
