//! The checksum database's endpoints (x/mod `sumdb`, `tlog.ParseTilePath`).

use std::borrow::Cow;

use super::RequestError;
use super::operation::module_path;
use crate::gomod::{check_query, escape_into, is_canonical_for, unescape};

/// A request to a checksum database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SumdbCall<'a> {
    /// `supported`: whether the proxy carries this database.
    Supported,
    /// `latest`: the signed tree head.
    Latest,
    /// `lookup/MODULE@VERSION`: the record of a module version.
    Lookup {
        /// The module path.
        module: Cow<'a, str>,
        /// A canonical version.
        version: Cow<'a, str>,
    },
    /// `tile/8/L/N[.p/W]`: a tile of the log's hashes.
    Tile {
        /// The path from `tile/` on, which is its own canonical form.
        path: &'a str,
    },
}

impl<'a> SumdbCall<'a> {
    /// Reads what stands behind the database's name, without a leading slash.
    ///
    /// # Errors
    /// What is no endpoint, a lookup of what is no module version, a tile that cannot be.
    pub fn parse(rest: &'a str) -> Result<Self, RequestError> {
        match rest {
            "supported" => return Ok(Self::Supported),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if let Some(name) = rest.strip_prefix("lookup/") {
            let (module, version) = name
                .split_once('@')
                .ok_or(RequestError::UnknownSumdbEndpoint)?;
            let module = module_path(module)?;
            let version = unescape(version)?;
            check_query(&version)?;
            is_canonical_for(&module, &version)?;
            return Ok(Self::Lookup { module, version });
        }
        let tile = rest
            .strip_prefix("tile/")
            .ok_or(RequestError::UnknownSumdbEndpoint)?;
        if is_tile(tile) {
            Ok(Self::Tile { path: rest })
        } else {
            Err(RequestError::TilePath)
        }
    }

    /// The module of a lookup.
    pub fn module(&self) -> Option<&str> {
        match self {
            Self::Lookup { module, .. } => Some(module),
            Self::Supported | Self::Latest | Self::Tile { .. } => None,
        }
    }

    /// The version of a lookup.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Lookup { version, .. } => Some(version),
            Self::Supported | Self::Latest | Self::Tile { .. } => None,
        }
    }

    /// Appends the canonical form, with a leading slash.
    pub(crate) fn write_canonical(&self, out: &mut String) {
        out.push('/');
        match self {
            Self::Supported => out.push_str("supported"),
            Self::Latest => out.push_str("latest"),
            Self::Lookup { module, version } => {
                out.push_str("lookup/");
                escape_into(module, out);
                out.push('@');
                escape_into(version, out);
            }
            Self::Tile { path } => out.push_str(path),
        }
    }
}

/// The height of the tiles that the Go command asks for.
const HEIGHT: u32 = 8;

/// The most records that a log can have are 2 to the power of this.
const MOST_RECORDS: u32 = 63;

/// Whether this is `8/L/N[.p/W]` in the one form in which `tlog.Tile.Path` writes what the Go command
/// asks for, of a log that can be: its height is 8, L a number, N in groups of three digits of which all
/// but the last begin with `x`, W below 256. Other heights, and tiles of records (`data`), go never
/// wants: no path carries more than where in a log to look.
fn is_tile(path: &str) -> bool {
    let Some((level, rest)) = path
        .strip_prefix("8/")
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let level = small_number(level).and_then(|level| u32::try_from(level).ok());
    let Some(below) = level.and_then(|level| level.checked_mul(HEIGHT)) else {
        return false;
    };
    // What a level has of hashes, each over 256 times as many as below, and of those in tiles.
    let hashes = MOST_RECORDS.checked_sub(below);
    let Some(hashes) = hashes.and_then(|bits| 1_u64.checked_shl(bits)) else {
        return false;
    };
    let tiles = hashes.div_ceil(1 << HEIGHT);
    let is_number = |text| tile_number(text).is_some_and(|number| number < tiles);
    match rest.split_once(".p/") {
        None => is_number(rest),
        Some((number, width)) => {
            let width = small_number(width);
            is_number(number) && width.is_some_and(|w| (1..1 << HEIGHT).contains(&w))
        }
    }
}

/// A decimal number of at most 18 digits without leading zeros.
fn small_number(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    if !plain || text.len() > 18 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The number of a tile, in groups of three digits.
fn tile_number(text: &str) -> Option<u64> {
    let (before, last) = match text.rsplit_once('/') {
        Some((before, last)) => (Some(before), last),
        None => (None, text),
    };
    let mut number = 0_u64;
    let groups = before.into_iter().flat_map(|before| before.split('/'));
    for (i, group) in groups.enumerate() {
        let digits = group.strip_prefix('x')?;
        if i == 0 && digits == "000" {
            return None;
        }
        number = push_group(number, digits)?;
    }
    push_group(number, last)
}

fn push_group(number: u64, digits: &str) -> Option<u64> {
    if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.checked_mul(1000)?.checked_add(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::NameError;

    #[test]
    fn lookups_and_tiles_are_read() {
        assert_eq!(SumdbCall::parse("supported"), Ok(SumdbCall::Supported));
        assert_eq!(SumdbCall::parse("latest"), Ok(SumdbCall::Latest));
        assert_eq!(
            SumdbCall::parse("lookup/github.com/!burnt!sushi/toml@v1.0.0"),
            Ok(SumdbCall::Lookup {
                module: "github.com/BurntSushi/toml".into(),
                version: "v1.0.0".into()
            })
        );
        for path in [
            "tile/8/0/001",
            "tile/8/0/x001/x234/067",
            "tile/8/1/x123/067.p/1",
            "tile/8/0/000.p/255",
            "tile/8/7/000",
            "tile/8/0/x036/x028/x797/x018/x963/967",
        ] {
            assert_eq!(SumdbCall::parse(path), Ok(SumdbCall::Tile { path }));
        }
    }

    #[test]
    fn a_version_that_the_database_lacks_is_refused() {
        let rows = [
            ("", RequestError::UnknownSumdbEndpoint),
            ("Supported", RequestError::UnknownSumdbEndpoint),
            ("lookup/a.b/c", RequestError::UnknownSumdbEndpoint),
            ("lookup/a.b/c@", RequestError::Name(NameError::EmptyElement)),
            (
                "lookup/a.b/c@master",
                RequestError::Name(NameError::NotCanonical),
            ),
            (
                "lookup/a.b/c@v1.0.0@v1.0.0",
                RequestError::Name(NameError::NotCanonical),
            ),
            (
                "lookup/a.b/C@v1.0.0",
                RequestError::Name(NameError::RawUpperCase),
            ),
            (
                "lookup/a.b/c@v1.0.0/go.mod",
                RequestError::Name(NameError::VersionCharacter),
            ),
            ("tile/8/0", RequestError::TilePath),
            ("tile/0/0/000", RequestError::TilePath),
            ("tile/31/0/000", RequestError::TilePath),
            ("tile/7/0/000", RequestError::TilePath),
            ("tile/8/data/000", RequestError::TilePath),
            ("tile/8/8/000", RequestError::TilePath),
            ("tile/8/7/001", RequestError::TilePath),
            (
                "tile/8/0/x036/x028/x797/x018/x963/968",
                RequestError::TilePath,
            ),
            (
                "tile/8/0/x999/x999/x999/x999/x999/x999/999",
                RequestError::TilePath,
            ),
            ("tile/8/18446744073709551615/000", RequestError::TilePath),
            ("tile/08/0/000", RequestError::TilePath),
            ("tile/8/x/000", RequestError::TilePath),
            ("tile/8/0/0", RequestError::TilePath),
            ("tile/8/0//001", RequestError::TilePath),
            ("tile/8/0/x001//001", RequestError::TilePath),
            ("tile/8/0/x000/001", RequestError::TilePath),
            ("tile/8/0/001/002", RequestError::TilePath),
            ("tile/8/0/000.p/0", RequestError::TilePath),
            ("tile/8/0/000.p/256", RequestError::TilePath),
            ("tile/8/0/../../lookup", RequestError::TilePath),
        ];
        table_rows::check(rows, |(path, why)| {
            assert_eq!(SumdbCall::parse(path), Err(why), "{path:?}");
        });
    }
}
