//! Names without regard to case, as Go's `strings.EqualFold` compares them.

/// The one character that stands for all that Go's `unicode.SimpleFold` leads to from this one.
/// Where a full mapping gives several characters, simple folding leaves the character alone.
pub fn fold_case(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // Its upper case is I, but only Turkish takes the two for one letter.
    if c == 'ı' {
        return c;
    }
    let lower = single(c.to_lowercase()).unwrap_or(c);
    let upper = single(lower.to_uppercase()).unwrap_or(lower);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}
