//! Names that others chose, as messages repeat them.

/// The longest name or reason in a message, in bytes.
const MAX_NAME: usize = 160;

/// A text that a line of a message has room for: all of it, or its beginning and `...`.
pub fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= MAX_NAME;
    let start: String = name
        .char_indices()
        .take_while(fits)
        .map(|(_, c)| c)
        .collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shorten(&"a".repeat(160)), "a".repeat(160));
        assert_eq!(shorten(&"a".repeat(161)), format!("{}...", "a".repeat(160)));
        let wide = format!("a{}", "\u{fc}".repeat(100));
        assert_eq!(shorten(&wide), format!("a{}...", "\u{fc}".repeat(79)));
    }
}
