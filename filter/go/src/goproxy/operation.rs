//! The endpoints of the GOPROXY protocol.

use std::borrow::Cow;

use super::{RequestError, SumdbCall};
use crate::gomod::{
    check_path, check_query, escape_into, is_canonical_for, split_at_last, unescape,
};

/// The operation of a request. Module paths and versions are unescaped and valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// `MODULE/@v/list`: the known versions.
    List {
        /// The module path.
        module: Cow<'a, str>,
    },
    /// `MODULE/@latest`: the version to take when the list is empty.
    Latest {
        /// The module path.
        module: Cow<'a, str>,
    },
    /// `MODULE/@v/QUERY.info`: what a version, branch or commit is.
    Info {
        /// The module path.
        module: Cow<'a, str>,
        /// A canonical version, or any other name of a revision.
        query: Cow<'a, str>,
        /// Which of the two.
        is_canonical: bool,
    },
    /// `MODULE/@v/VERSION.mod`: the go.mod file.
    Mod {
        /// The module path.
        module: Cow<'a, str>,
        /// A canonical version.
        version: Cow<'a, str>,
    },
    /// `MODULE/@v/VERSION.zip`: the module's files.
    Zip {
        /// The module path.
        module: Cow<'a, str>,
        /// A canonical version.
        version: Cow<'a, str>,
    },
    /// `sumdb/DATABASE/...`: the checksum database, carried by the proxy.
    Sumdb {
        /// The database's name, one of those that the policy allows.
        database: Cow<'a, str>,
        /// What is asked of it.
        call: SumdbCall<'a>,
    },
}

/// Whether an answer can change from one request to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// What belongs to a canonical version stays as it is.
    Fixed,
    /// A list, `@latest`, or what a branch or commit is.
    Moving,
    /// The checksum database's answers, and what could not be read.
    Other,
}

/// The operation as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationName {
    /// See [`Operation::List`].
    List,
    /// See [`Operation::Latest`].
    Latest,
    /// See [`Operation::Info`].
    Info,
    /// See [`Operation::Mod`].
    Mod,
    /// See [`Operation::Zip`].
    Zip,
    /// See [`Operation::Sumdb`].
    Sumdb,
    /// What could not be read.
    Other,
}

impl OperationName {
    /// The value of the label `operation`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Latest => "latest",
            Self::Info => "info",
            Self::Mod => "mod",
            Self::Zip => "zip",
            Self::Sumdb => "sumdb",
            Self::Other => "other",
        }
    }
}

impl<'a> Operation<'a> {
    /// Reads what stands behind the prefixes of tenant and route, without a leading slash, for
    /// anything but the checksum database.
    ///
    /// # Errors
    /// What is no endpoint, or an endpoint on something that is no module or version.
    pub fn parse(rest: &'a str) -> Result<Self, RequestError> {
        if let Some(escaped) = rest.strip_suffix("/@latest") {
            let module = module_path(escaped)?;
            return Ok(Self::Latest { module });
        }
        let (head, file) = split_at_last(rest, b'/').ok_or(RequestError::UnknownEndpoint)?;
        let escaped = head
            .strip_suffix("/@v")
            .ok_or(RequestError::UnknownEndpoint)?;
        if file == "list" {
            let module = module_path(escaped)?;
            return Ok(Self::List { module });
        }
        let (version, extension) =
            split_at_last(file, b'.').ok_or(RequestError::UnknownEndpoint)?;
        if !matches!(extension, "info" | "mod" | "zip") {
            return Err(RequestError::UnknownEndpoint);
        }
        let module = module_path(escaped)?;
        let version = unescape(version)?;
        check_query(&version)?;
        if extension == "info" {
            return Ok(Self::info(module, version));
        }
        is_canonical_for(&module, &version)?;
        Ok(match extension {
            "mod" => Self::Mod { module, version },
            _ => Self::Zip { module, version },
        })
    }

    /// What a version, branch or commit of a module is.
    pub fn info(module: Cow<'a, str>, query: Cow<'a, str>) -> Self {
        let is_canonical = is_canonical_for(&module, &query).is_ok();
        Self::Info {
            module,
            query,
            is_canonical,
        }
    }

    /// The operation as metrics name it.
    pub const fn name(&self) -> OperationName {
        match self {
            Self::List { .. } => OperationName::List,
            Self::Latest { .. } => OperationName::Latest,
            Self::Info { .. } => OperationName::Info,
            Self::Mod { .. } => OperationName::Mod,
            Self::Zip { .. } => OperationName::Zip,
            Self::Sumdb { .. } => OperationName::Sumdb,
        }
    }

    /// The module that the request is about; none for tiles and the like.
    pub fn module(&self) -> Option<&str> {
        match self {
            Self::List { module }
            | Self::Latest { module }
            | Self::Info { module, .. }
            | Self::Mod { module, .. }
            | Self::Zip { module, .. } => Some(module),
            Self::Sumdb { call, .. } => call.module(),
        }
    }

    /// The version or query that is requested, where one is.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::List { .. } | Self::Latest { .. } => None,
            Self::Info { query, .. } => Some(query),
            Self::Mod { version, .. } | Self::Zip { version, .. } => Some(version),
            Self::Sumdb { call, .. } => call.version(),
        }
    }

    /// The version that is requested, where it is a canonical one and no branch or commit.
    pub fn canonical_version(&self) -> Option<&str> {
        match self {
            Self::Info {
                query,
                is_canonical,
                ..
            } => is_canonical.then_some(query),
            _ => self.version(),
        }
    }

    /// Whether the answer can change.
    pub fn mutability(&self) -> Mutability {
        match self {
            Self::Mod { .. } | Self::Zip { .. } => Mutability::Fixed,
            Self::Info { .. } if self.canonical_version().is_some() => Mutability::Fixed,
            Self::List { .. } | Self::Latest { .. } | Self::Info { .. } => Mutability::Moving,
            Self::Sumdb { .. } => Mutability::Other,
        }
    }

    /// Whether the Go command asks this of every prefix of an import path, to find out where the
    /// module is. It wants 404 where there is none, and gives up on any other refusal.
    pub const fn is_probe(&self) -> bool {
        matches!(
            self,
            Self::List { .. } | Self::Latest { .. } | Self::Info { .. }
        )
    }

    /// Appends the request's one canonical form, as the Go command writes it, with a leading slash.
    pub fn write_canonical(&self, out: &mut String) {
        out.push('/');
        match self {
            Self::List { module } => {
                escape_into(module, out);
                out.push_str("/@v/list");
            }
            Self::Latest { module } => {
                escape_into(module, out);
                out.push_str("/@latest");
            }
            Self::Info { module, query, .. } => write_file(module, query, ".info", out),
            Self::Mod { module, version } => write_file(module, version, ".mod", out),
            Self::Zip { module, version } => write_file(module, version, ".zip", out),
            Self::Sumdb { database, call } => {
                out.push_str("sumdb/");
                out.push_str(database);
                call.write_canonical(out);
            }
        }
    }
}

fn write_file(module: &str, version: &str, extension: &str, out: &mut String) {
    escape_into(module, out);
    out.push_str("/@v/");
    escape_into(version, out);
    out.push_str(extension);
}

/// Unescapes and checks a module path as it stands in a request.
pub(crate) fn module_path(escaped: &str) -> Result<Cow<'_, str>, RequestError> {
    let module = unescape(escaped)?;
    check_path(&module)?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::NameError;

    fn canonical(rest: &str) -> Result<String, RequestError> {
        let operation = Operation::parse(rest)?;
        let mut out = String::new();
        operation.write_canonical(&mut out);
        Ok(out)
    }

    #[test]
    fn every_endpoint_is_read_and_written_back_as_go_writes_it() {
        let rows = [
            ("golang.org/x/text/@v/list", "/golang.org/x/text/@v/list"),
            ("golang.org/x/text/@latest", "/golang.org/x/text/@latest"),
            ("a.b/c/@v/v1.0.0.info", "/a.b/c/@v/v1.0.0.info"),
            ("a.b/c/@v/master.info", "/a.b/c/@v/master.info"),
            ("a.b/c/@v/v1.0.0.mod", "/a.b/c/@v/v1.0.0.mod"),
            (
                "a.b/c/@v/v1.0.0-!r!c1.zip",
                "/a.b/c/@v/v1.0.0-%21r%21c1.zip",
            ),
            ("a.b/!c/@v/v1.0.0.zip", "/a.b/%21c/@v/v1.0.0.zip"),
            (
                "a.b/c/@v/v2.0.0+incompatible.zip",
                "/a.b/c/@v/v2.0.0+incompatible.zip",
            ),
            ("example.com/@v/v1.2.0.info", "/example.com/@v/v1.2.0.info"),
            ("a.b/c/@v/a%2fb.info", "/a.b/c/@v/a%252fb.info"),
            (
                "golang.org/toolchain/@v/v0.0.1-go1.26.0.linux-amd64.zip",
                "/golang.org/toolchain/@v/v0.0.1-go1.26.0.linux-amd64.zip",
            ),
        ];
        table_rows::check(rows, |(rest, want)| {
            assert_eq!(canonical(rest).as_deref(), Ok(want));
        });
    }

    #[test]
    fn everything_else_is_refused() {
        let rows = [
            ("", RequestError::UnknownEndpoint),
            ("@latest", RequestError::UnknownEndpoint),
            ("@v/list", RequestError::UnknownEndpoint),
            ("/@v/list", RequestError::Name(NameError::EmptyElement)),
            ("a.b/c", RequestError::UnknownEndpoint),
            ("a.b/c/@v", RequestError::UnknownEndpoint),
            ("a.b/c/@v/", RequestError::UnknownEndpoint),
            ("a.b/c/@v/list/", RequestError::UnknownEndpoint),
            ("a.b/c/@v//list", RequestError::UnknownEndpoint),
            (
                "a.b/c//@v/list",
                RequestError::Name(NameError::EmptyElement),
            ),
            ("a.b/c/@latest/", RequestError::UnknownEndpoint),
            (
                "a.b/c/@v/.info",
                RequestError::Name(NameError::EmptyElement),
            ),
            ("a.b/c/@v/v1.0.0.ziphash", RequestError::UnknownEndpoint),
            ("a.b/c/@v/v1.0.0.lock", RequestError::UnknownEndpoint),
            (
                "a.b/c/@v/master.zip",
                RequestError::Name(NameError::NotCanonical),
            ),
            (
                "a.b/c/@v/v1.mod",
                RequestError::Name(NameError::NotCanonical),
            ),
            (
                "a.b/c/@v/v2.0.0.mod",
                RequestError::Name(NameError::MajorMismatch),
            ),
            (
                "a.b/c/@v/V1.0.0.zip",
                RequestError::Name(NameError::RawUpperCase),
            ),
            ("a.b/C/@v/list", RequestError::Name(NameError::RawUpperCase)),
            ("a.b/c/@V/list", RequestError::UnknownEndpoint),
            (
                "a.b/c/../d/@v/list",
                RequestError::Name(NameError::DotElement),
            ),
            (
                "a.b/c;x/@v/list",
                RequestError::Name(NameError::ModuleCharacter),
            ),
            (
                "a.b/c@/@v/list",
                RequestError::Name(NameError::ModuleCharacter),
            ),
            (
                "a.b/c/@v/d/@v/list",
                RequestError::Name(NameError::ModuleCharacter),
            ),
            (
                "a.b/c/@latest/@v/list",
                RequestError::Name(NameError::ModuleCharacter),
            ),
        ];
        table_rows::check(rows, |(rest, why)| {
            assert_eq!(canonical(rest), Err(why), "{rest:?}");
        });
    }
}
