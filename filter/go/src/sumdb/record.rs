//! The answer to a lookup: a record's number, its text, a blank line, and a signed tree head
//! (x/mod `tlog.FormatRecord`, `sumdb.Server`).

use std::fmt;

use super::note::is_text;
use super::tlog::number;
use crate::gomod::{Artifact, GoSumLine, H1, ModuleVersion, shorten};

/// An answer taken apart. Nothing of it is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The record's place in the log.
    pub id: u64,
    /// Its text, in lines.
    pub text: &'a str,
    /// The signed tree head.
    pub note: &'a [u8],
}

/// The hashes that a record has of one module version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Of the module's zip.
    pub zip: H1,
    /// Of the `go.mod` file.
    pub go_mod: H1,
}

/// Why a record says nothing of a module version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// It is no record.
    Malformed,
    /// A line of it is none of a go.sum.
    NoSum,
    /// It is about another module or version.
    Unrelated(ModuleVersion),
    /// It has two hashes for one file.
    Conflict,
    /// It lacks the hash of a file.
    Missing(Artifact),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("its response is not a valid record"),
            Self::NoSum => f.write_str("its record has a line that is not a go.sum line"),
            Self::Unrelated(module) => {
                write!(f, "its record is for {}", shorten(&module.to_string()))
            }
            Self::Conflict => f.write_str("its record has two hashes for one file"),
            Self::Missing(Artifact::Zip) => f.write_str("its record has no hash of the zip"),
            Self::Missing(Artifact::GoMod) => f.write_str("its record has no hash of the go.mod"),
        }
    }
}

impl std::error::Error for RecordError {}

impl<'a> Record<'a> {
    /// Takes an answer apart. The number is in the one form in which databases write it.
    ///
    /// # Errors
    /// What is no record.
    pub fn parse(answer: &'a [u8]) -> Result<Self, RecordError> {
        Self::take_apart(answer).ok_or(RecordError::Malformed)
    }

    fn take_apart(answer: &'a [u8]) -> Option<Self> {
        let line = answer.iter().position(|&byte| byte == b'\n')?;
        let (id, rest) = answer.split_at_checked(line)?;
        let rest = rest.get(1..)?;
        let blank = rest.windows(2).position(|pair| pair == b"\n\n")?;
        let (text, rest) = rest.split_at_checked(blank + 1)?;
        let text = std::str::from_utf8(text).ok()?;
        Some(Self {
            id: number(std::str::from_utf8(id).ok()?)?,
            text: is_text(text).then_some(text)?,
            note: rest.get(1..)?,
        })
    }

    /// The hashes of this module version. Every line must be about it, and none may be missing.
    ///
    /// # Errors
    /// A record about anything else, or that contradicts itself.
    pub fn sums(&self, module: &ModuleVersion) -> Result<Sums, RecordError> {
        let (mut zip, mut go_mod) = (None, None);
        for line in self.text.split_terminator('\n') {
            let line: GoSumLine = line.parse().map_err(|_| RecordError::NoSum)?;
            if line.module != *module {
                return Err(RecordError::Unrelated(line.module));
            }
            let known = match line.artifact {
                Artifact::Zip => &mut zip,
                Artifact::GoMod => &mut go_mod,
            };
            if *known.get_or_insert(line.h1) != line.h1 {
                return Err(RecordError::Conflict);
            }
        }
        Ok(Sums {
            zip: zip.ok_or(RecordError::Missing(Artifact::Zip))?,
            go_mod: go_mod.ok_or(RecordError::Missing(Artifact::GoMod))?,
        })
    }
}

impl Sums {
    /// The hash of one of the files.
    pub const fn of(&self, artifact: Artifact) -> H1 {
        match artifact {
            Artifact::Zip => self.zip,
            Artifact::GoMod => self.go_mod,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIP: &str =
        "github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=\n";
    const MOD: &str =
        "github.com/pkg/errors v0.9.1/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=\n";

    fn sums(text: &str) -> Result<Sums, RecordError> {
        let module = ModuleVersion::new("github.com/pkg/errors", "v0.9.1").unwrap();
        let answer = format!("7\n{text}\nnote");
        Record::parse(answer.as_bytes())?.sums(&module)
    }

    #[test]
    fn the_lines_of_the_version_are_read_in_any_order() {
        let expected = sums(&format!("{ZIP}{MOD}")).unwrap();
        assert!(ZIP.contains(&expected.of(Artifact::Zip).to_string()));
        assert!(MOD.contains(&expected.of(Artifact::GoMod).to_string()));
        for text in [format!("{MOD}{ZIP}"), format!("{ZIP}{MOD}{ZIP}")] {
            assert_eq!(sums(&text), Ok(expected));
        }
    }

    #[test]
    fn a_long_name_is_not_repeated_whole() {
        let path = format!("example.com/{}", "a".repeat(60_000));
        let error = RecordError::Unrelated(ModuleVersion::new(&path, "v1.0.0").unwrap());
        let text = error.to_string();
        assert!(
            text.starts_with("its record is for example.com/aaa") && text.len() < 200,
            "{text}"
        );
    }

    #[test]
    fn a_record_for_another_module_proves_nothing() {
        let both = format!("{ZIP}{MOD}");
        let conflict = ZIP.replace("FEBL", "GEBL");
        let other = |path: &str, version: &str| {
            RecordError::Unrelated(ModuleVersion::new(path, version).unwrap())
        };
        for (text, why) in [
            (ZIP.to_owned(), RecordError::Missing(Artifact::GoMod)),
            (MOD.to_owned(), RecordError::Missing(Artifact::Zip)),
            (format!("{both}{conflict}"), RecordError::Conflict),
            (format!("{conflict}{both}"), RecordError::Conflict),
            (
                both.replace("pkg", "Pkg"),
                other("github.com/Pkg/errors", "v0.9.1"),
            ),
            (
                both.replace("errors", "errors/sub"),
                other("github.com/pkg/errors/sub", "v0.9.1"),
            ),
            (
                both.replace("pkg/errors", "pkg"),
                other("github.com/pkg", "v0.9.1"),
            ),
            (
                both.replace("v0.9.1", "v0.9.10"),
                other("github.com/pkg/errors", "v0.9.10"),
            ),
            (both.replace("pkg", "!pkg"), RecordError::NoSum),
            (both.replace("v0.9.1", "v0.9"), RecordError::NoSum),
            (both.replace("h1:", "h2:"), RecordError::NoSum),
            (format!("{both}and more\n"), RecordError::NoSum),
            (format!("\u{feff}{both}"), RecordError::NoSum),
            ("\n".to_owned(), RecordError::NoSum),
            (String::new(), RecordError::Malformed),
            (both.replace('\n', "\r\n"), RecordError::Malformed),
        ] {
            assert_eq!(sums(&text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn only_a_plain_number_is_a_records_place() {
        let answer = |id: &str| format!("{id}\n{ZIP}{MOD}\nnote").into_bytes();
        assert_eq!(Record::parse(&answer("0")).unwrap().id, 0);
        for id in [
            "",
            "007",
            "+7",
            "-7",
            "7 ",
            " 7",
            "7 more",
            "7\r",
            "0x7",
            "\u{feff}7",
            "9223372036854775808",
        ] {
            assert_eq!(
                Record::parse(&answer(id)),
                Err(RecordError::Malformed),
                "{id:?}"
            );
        }
        for answer in ["", "7", "7\n", "7\ntext\n", "<html>\n<body>\n\n</html>\n"] {
            assert_eq!(
                Record::parse(answer.as_bytes()),
                Err(RecordError::Malformed),
                "{answer:?}"
            );
        }
    }
}
