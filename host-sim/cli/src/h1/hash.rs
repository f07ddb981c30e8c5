//! One file, read in buffers and hashed by the engine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use modgate_go::gomod::{Artifact, H1, ModuleVersion};
use modgate_go::integrity::GoModHasher;
use modgate_go::zip::ZipHasher;

use super::inputs::{Input, Source};

/// How much is read at a time, in bytes.
const BUFFER: usize = 64 << 10;

/// A file's hash.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    pub h1: H1,
    pub artifact: Artifact,
    /// By the file's place, else by the names in the zip.
    pub module: Option<ModuleVersion>,
}

/// Hashes a file, telling after each buffer how many bytes it was.
///
/// # Errors
/// One sentence: what cannot be read, or why it is refused.
pub(super) fn hash(input: &Input, progress: impl FnMut(u64)) -> Result<Hashed, String> {
    let mut reader = Reader {
        source: match &input.source {
            Source::Stdin => Box::new(io::stdin().lock()),
            Source::File(path) => Box::new(File::open(path).map_err(|e| e.to_string())?),
        },
        buffer: vec![0; BUFFER],
        progress,
    };
    let first = reader.next()?.to_vec();
    match kind(&input.source, &first)? {
        Artifact::Zip => {
            let mut hasher = match &input.module {
                Some(module) => ZipHasher::of(module.clone()),
                None => ZipHasher::of_any_module(),
            };
            reader.feed(&first, |chunk| hasher.feed(chunk).map_err(|e| refused(&e)))?;
            let summary = hasher.finish().map_err(|error| refused(&error))?;
            Ok(Hashed {
                h1: summary.h1,
                artifact: Artifact::Zip,
                module: summary.module,
            })
        }
        Artifact::GoMod => {
            let mut hasher = GoModHasher::default();
            reader.feed(&first, |chunk| hasher.feed(chunk).map_err(|e| refused(&e)))?;
            Ok(Hashed {
                h1: hasher.finish().map_err(|error| refused(&error))?,
                artifact: Artifact::GoMod,
                module: input.module.clone(),
            })
        }
    }
}

fn refused(error: &dyn std::error::Error) -> String {
    format!("refused: {error}")
}

/// By its name, and where it has none by how it begins: all of a zip's records begin alike.
fn kind(source: &Source, first: &[u8]) -> Result<Artifact, String> {
    let Source::File(path) = source else {
        let zip = first.starts_with(b"PK");
        return Ok(if zip { Artifact::Zip } else { Artifact::GoMod });
    };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("zip") => Ok(Artifact::Zip),
        Some("mod") => Ok(Artifact::GoMod),
        _ if path.file_name() == Some(Path::new("go.mod").as_os_str()) => Ok(Artifact::GoMod),
        _ => Err("neither a .zip nor a go.mod; pass it on standard input to hash it anyway".into()),
    }
}

struct Reader<'a, P> {
    source: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    progress: P,
}

impl<P: FnMut(u64)> Reader<'_, P> {
    /// The next bytes; none at the end.
    fn next(&mut self) -> Result<&[u8], String> {
        let len = self
            .source
            .read(&mut self.buffer)
            .map_err(|e| e.to_string())?;
        (self.progress)(len as u64);
        Ok(&self.buffer[..len])
    }

    /// All bytes, of which the first are at hand.
    fn feed(
        &mut self,
        first: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        if first.is_empty() {
            return Ok(());
        }
        take(first)?;
        loop {
            let chunk = self.next()?;
            if chunk.is_empty() {
                return Ok(());
            }
            take(chunk)?;
        }
    }
}
