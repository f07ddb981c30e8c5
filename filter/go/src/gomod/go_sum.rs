//! `go.sum` files and the lines they are made of, which a checksum database's records are too
//! (module reference, "go.sum files").

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::h1::{H1, NotH1};
use super::module_version::ModuleVersion;
use super::name_error::NameError;

/// What a line's version ends with where the hash is the `go.mod` file's.
const GO_MOD_SUFFIX: &str = "/go.mod";

/// The hash of a `go.mod` without a byte. An old Go wrote it into go.sum for what was no module, and
/// every Go since drops such lines.
const EMPTY_GO_MOD: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// Which of a version's files a hash is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Artifact {
    /// The module's zip.
    Zip,
    /// The `go.mod` file.
    GoMod,
}

impl Artifact {
    /// The value of the label `artifact`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::GoMod => "mod",
        }
    }
}

/// One line. Displays as it stands in the file, without its line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoSumLine {
    /// The module's version.
    pub module: ModuleVersion,
    /// Which of its files.
    pub artifact: Artifact,
    /// The file's hash.
    pub h1: H1,
}

impl fmt::Display for GoSumLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.artifact {
            Artifact::Zip => "",
            Artifact::GoMod => GO_MOD_SUFFIX,
        };
        let (path, version) = (self.module.path(), self.module.version());
        write!(f, "{path} {version}{suffix} {}", self.h1)
    }
}

/// Why a line is none that the Go command would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoSumFault {
    /// Not three fields with one space between them.
    Fields,
    /// In a file, where there may be any space: not three fields but so many.
    Count(usize),
    /// No module path, or no version that this module can have.
    Module(NameError),
    /// No `h1:` hash.
    Hash,
    /// An earlier line, counted from 1, has another hash for the same file.
    Conflict(usize),
}

impl From<NotH1> for GoSumFault {
    fn from(_: NotH1) -> Self {
        Self::Hash
    }
}

impl fmt::Display for GoSumFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields => {
                f.write_str("a line must be MODULE VERSION HASH, separated by single spaces")
            }
            Self::Count(fields) => write!(
                f,
                "a line must have three fields, MODULE VERSION HASH; this one has {fields}"
            ),
            Self::Module(refusal) => write!(f, "the module or its version is not valid: {refusal}"),
            Self::Hash => NotH1.fmt(f),
            Self::Conflict(earlier) => {
                write!(f, "line {earlier} has another hash for the same file")
            }
        }
    }
}

impl std::error::Error for GoSumFault {}

impl FromStr for GoSumLine {
    type Err = GoSumFault;

    /// Reads one line, without its line feed. Strict: what the Go command does not write is refused,
    /// a carriage return and a space at either end included.
    fn from_str(line: &str) -> Result<Self, GoSumFault> {
        let mut fields = line.split(' ');
        let (Some(path), Some(version), Some(hash), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(GoSumFault::Fields);
        };
        Self::of(path, version, hash)
    }
}

impl GoSumLine {
    /// Reads a line as the Go command reads one of a file that people edit and other tools carry: its
    /// fields stand between spaces of any kind, a carriage return at the end included. `None` for a
    /// line that Go passes over: an empty one, that of an empty `go.mod`, and a hash of another kind
    /// than `h1`.
    ///
    /// A checksum database's records are read by [`FromStr`], strictly.
    ///
    /// # Errors
    /// Another number of fields, and what can be no module's.
    pub fn read(line: &str) -> Result<Option<Self>, GoSumFault> {
        let mut fields = line.split_whitespace();
        let (path, version, hash) = match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => return Ok(None),
            (Some(path), Some(version), Some(hash)) if fields.next().is_none() => {
                (path, version, hash)
            }
            _ => return Err(GoSumFault::Count(line.split_whitespace().count())),
        };
        if hash == EMPTY_GO_MOD || is_of_another_kind(hash) {
            return Ok(None);
        }
        Self::of(path, version, hash).map(Some)
    }

    fn of(path: &str, version: &str, hash: &str) -> Result<Self, GoSumFault> {
        let (version, artifact) = match version.strip_suffix(GO_MOD_SUFFIX) {
            Some(version) => (version, Artifact::GoMod),
            None => (version, Artifact::Zip),
        };
        Ok(Self {
            module: ModuleVersion::new(path, version).map_err(GoSumFault::Module)?,
            artifact,
            h1: hash.parse()?,
        })
    }
}

/// Whether a hash is of a kind that a later Go may have: `h2:...`, with as little in it as possible
/// that could be a slip of the pen.
fn is_of_another_kind(hash: &str) -> bool {
    let number = hash
        .split_once(':')
        .and_then(|(kind, _)| kind.strip_prefix('h'));
    number.is_some_and(|number| {
        number != "1" && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// What is wrong with a `go.sum` file, and in which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoSumError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: GoSumFault,
}

impl fmt::Display for GoSumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl std::error::Error for GoSumError {}

/// A `go.sum` file: one hash for each file of each version, and the line it stands in.
#[derive(Clone, Debug, Default)]
pub struct GoSum(HashMap<(ModuleVersion, Artifact), (H1, usize)>);

impl GoSum {
    /// Reads a file, each line as [`GoSumLine::read`]. A byte-order mark before the first is passed
    /// over; a line that stands twice is one.
    ///
    /// # Errors
    /// The first line that cannot be read, or that contradicts an earlier one.
    pub fn parse(text: &str) -> Result<Self, GoSumError> {
        let mut sums = HashMap::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.split('\n')) {
            let at = |fault| GoSumError {
                line: number,
                fault,
            };
            let Some(parsed) = GoSumLine::read(line).map_err(at)? else {
                continue;
            };
            let (known, earlier) = *sums
                .entry((parsed.module, parsed.artifact))
                .or_insert((parsed.h1, number));
            if known != parsed.h1 {
                return Err(at(GoSumFault::Conflict(earlier)));
            }
        }
        Ok(Self(sums))
    }

    /// All of its lines, in no order.
    pub fn lines(&self) -> impl Iterator<Item = GoSumLine> {
        let files = self.0.iter();
        files.map(|((module, artifact), (h1, _))| GoSumLine {
            module: module.clone(),
            artifact: *artifact,
            h1: *h1,
        })
    }

    /// The hash of a version's file, where the `go.sum` has one.
    pub fn get(&self, module: &ModuleVersion, artifact: Artifact) -> Option<H1> {
        let (h1, _) = self.0.get(&(module.clone(), artifact))?;
        Some(*h1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIP: &str =
        "github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=";
    const MOD: &str =
        "github.com/pkg/errors v0.9.1/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=";

    #[test]
    fn a_file_of_go_reads() {
        let sums = GoSum::parse(&format!("{ZIP}\n{MOD}\n\n{ZIP}\n")).unwrap();
        for line in [ZIP, MOD] {
            let parsed: GoSumLine = line.parse().unwrap();
            assert_eq!(parsed.to_string(), line);
            assert_eq!(sums.get(&parsed.module, parsed.artifact), Some(parsed.h1));
        }
        let other = ModuleVersion::new("github.com/pkg/errors", "v0.9.0").unwrap();
        assert_eq!(sums.get(&other, Artifact::Zip), None);
    }

    #[test]
    fn a_file_is_read_as_go_reads_it() {
        let plain = GoSum::parse(&format!("{ZIP}\n{MOD}\n")).unwrap();
        let dropped = format!("a.example/old v1.0.0/go.mod {EMPTY_GO_MOD}");
        for text in [
            format!("{ZIP}\r\n{MOD}\r\n"),
            format!("\u{feff}{ZIP}\n{MOD}"),
            format!("\u{feff}{ZIP}\r\n\r\n{MOD}"),
            format!("  {}\n{MOD} \t\n \n", ZIP.replace(' ', "\t")),
            format!(
                "{}\n{}\n",
                ZIP.replace(' ', "  "),
                MOD.replace(' ', " \u{a0}")
            ),
            format!("{ZIP}\n{dropped}\n{MOD}\n{dropped}\r\n"),
            format!("{ZIP}\n{MOD}\n{}", ZIP.replace("h1:", "h2:")),
        ] {
            let sums = GoSum::parse(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(sums.lines().count(), 2, "{text:?}");
            for line in plain.lines() {
                assert_eq!(
                    sums.get(&line.module, line.artifact),
                    Some(line.h1),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn what_go_does_not_read_is_refused_with_its_line() {
        let hash = "h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=";
        for (line, why) in [
            ("x".to_owned(), GoSumFault::Count(1)),
            (format!("{ZIP} // why"), GoSumFault::Count(5)),
            (
                "github.com/pkg/errors v0.9.1".to_owned(),
                GoSumFault::Count(2),
            ),
            (ZIP.replace("h1:", "h1;"), GoSumFault::Hash),
            (ZIP.replace("4=", "4"), GoSumFault::Hash),
            (
                format!("github.com/Pkg!/errors v0.9.1 {hash}"),
                GoSumFault::Module(NameError::ModuleCharacter),
            ),
            (
                format!("github.com/pkg/errors v0.9 {hash}"),
                GoSumFault::Module(NameError::NotCanonical),
            ),
            (
                format!("github.com/pkg/errors v2.0.0 {hash}"),
                GoSumFault::Module(NameError::MajorMismatch),
            ),
            // In the middle it is no mark.
            (
                format!("\u{feff}{ZIP}"),
                GoSumFault::Module(NameError::ModuleCharacter),
            ),
        ] {
            let error = GoSum::parse(&format!("{MOD}\r\n{line}\r\n")).unwrap_err();
            assert_eq!(
                error,
                GoSumError {
                    line: 2,
                    fault: why
                },
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_line_of_a_record_is_what_the_go_command_writes_and_no_other() {
        assert!(ZIP.parse::<GoSumLine>().is_ok());
        for (line, why) in [
            (format!("{ZIP} "), GoSumFault::Fields),
            (format!(" {ZIP}"), GoSumFault::Fields),
            (ZIP.replacen(' ', "  ", 1), GoSumFault::Fields),
            (ZIP.replacen(' ', "\t", 1), GoSumFault::Fields),
            (format!("{ZIP}\r"), GoSumFault::Hash),
            (ZIP.replace("h1:", "h2:"), GoSumFault::Hash),
            (String::new(), GoSumFault::Fields),
        ] {
            assert_eq!(line.parse::<GoSumLine>().unwrap_err(), why, "{line:?}");
        }
    }

    #[test]
    fn two_hashes_for_one_file_are_refused_whichever_comes_first() {
        let other = ZIP.replace("FEBL", "GEBL");
        for text in [
            format!("{ZIP}\n{MOD}\n{other}"),
            format!("{other}\n\n{ZIP}"),
        ] {
            let error = GoSum::parse(&text).unwrap_err();
            assert_eq!((error.line, error.fault), (3, GoSumFault::Conflict(1)));
        }
    }
}
