//! The one way in which what others wrote gets onto a terminal.

/// What others wrote, as it can be shown on one line: nothing of it steers a terminal, and it is cut to so
/// many characters.
pub fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == most {
            shown.push_str("...");
            break;
        }
        match c {
            ' '..='~' => shown.push(c),
            // What neither prints nor stands alone is written out; the rest of Unicode stays.
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn foreign_text_steers_no_terminal() {
        let rows = [
            ("an escape", "a\u{1b}[2J", 99, r"a\u{1b}[2J"),
            ("a C1 control", "\u{9b}2J", 99, r"\u{9b}2J"),
            ("right to left", "é\u{202e}b", 99, r"é\u{202e}b"),
            ("the end of a line", "a\r\nb", 99, r"a\r\nb"),
            ("quotes and arrows", "\"a\" → 'b'", 99, "\"a\" → 'b'"),
            ("more than is shown", "abcdef", 3, "abc..."),
            ("as much as is shown", "abc", 3, "abc"),
        ];
        table_rows::check(rows, |(what, text, most, wanted)| {
            assert_eq!(shown(text, most), wanted, "{what}");
        });
    }
}
