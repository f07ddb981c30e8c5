//! Paths of files inside a module's zip (x/mod `CheckFilePath`).

use unicode_general_category::{GeneralCategory, get_general_category};

use super::element::check_common;
use super::name_error::NameError;

/// Whether `path`, relative to the module's root, may be a file of a module.
///
/// # Errors
/// The first rule of x/mod's `module.CheckFilePath` that it breaks.
pub fn check_file_path(path: &str) -> Result<(), NameError> {
    for element in path.split('/') {
        check_common(element)?;
        if !element.chars().all(is_file_char) {
            return Err(NameError::FileCharacter);
        }
    }
    Ok(())
}

fn is_file_char(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&()+,-.=@[]^_{}~ ".contains(c)
    } else {
        is_letter(c)
    }
}

/// Go's `unicode.IsLetter`, the category L. Not `char::is_alphabetic`, which takes in more.
fn is_letter(c: char) -> bool {
    matches!(
        get_general_category(c),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_real_modules_pass() {
        for path in [
            "go.mod",
            ".github/workflows/test.yml",
            "testdata/a b (1) [x] {y}~.txt",
            "-leading-dash",
            "docs/日本語/é.md",
            "prog~1.txt",
            "a@b!c#d$e%f&g+h,i=j^k",
        ] {
            assert_eq!(check_file_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn what_some_system_cannot_hold_is_refused() {
        let rows = [
            ("", NameError::EmptyElement),
            ("/a", NameError::EmptyElement),
            ("a//b", NameError::EmptyElement),
            ("a/", NameError::EmptyElement),
            ("..", NameError::DotElement),
            ("a/./b", NameError::DotElement),
            ("a./b", NameError::DotElement),
            ("nul.txt", NameError::WindowsName),
            ("a/CoM1", NameError::WindowsName),
            ("a\\b", NameError::FileCharacter),
            ("a:b", NameError::FileCharacter),
            ("a\nb", NameError::FileCharacter),
            ("a\u{301}", NameError::FileCharacter),
            ("\u{24b6}", NameError::FileCharacter),
            ("a\u{202e}b", NameError::FileCharacter),
        ];
        table_rows::check(rows, |(path, why)| {
            assert_eq!(check_file_path(path), Err(why), "{path:?}");
        });
    }
}
