//! Numbers in percent.

/// All of something, in hundredths of a percent.
pub(crate) const ALL: u16 = 10_000;

/// A number from 0 to 100 with at most two decimals, in hundredths.
pub(crate) fn hundredths(percent: f64) -> Option<u16> {
    let hundredths = (percent * 100.0).round();
    let is_exact = (hundredths / 100.0 - percent).abs() < 1e-9;
    let in_range = (0.0..=f64::from(ALL)).contains(&hundredths);
    (is_exact && in_range).then_some(hundredths as u16)
}
