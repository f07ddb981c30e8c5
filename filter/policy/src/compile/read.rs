//! From a document's text to a policy.

use super::compile;
use crate::document::{Document, PolicyError};
use crate::model::Policy;

impl Policy {
    /// Reads and compiles a document (JSON).
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON path. Never empty.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        Ok(Self::read(bytes)?.0)
    }

    /// As [`Policy::from_json`], and lets the text go as soon as it is read.
    ///
    /// # Errors
    /// Those of [`Policy::from_json`].
    pub fn from_json_owned(bytes: Vec<u8>) -> Result<Self, Vec<PolicyError>> {
        let Some((document, hash)) = Document::read_good(&bytes) else {
            return Ok(Self::read_carefully(&bytes)?.0);
        };
        drop(bytes);
        compile(&document, hash)
    }

    /// The policy and the document that it was compiled from.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, Document), Vec<PolicyError>> {
        match Document::read_good(bytes) {
            Some((document, hash)) => Ok((compile(&document, hash)?, document)),
            None => Self::read_carefully(bytes),
        }
    }

    /// The same past every mistake.
    fn read_carefully(bytes: &[u8]) -> Result<(Self, Document), Vec<PolicyError>> {
        let (shape, hash) = Document::read(bytes)?;
        let Some(document) = shape.document else {
            return Err(shape.errors);
        };
        let compiled = compile(&document, hash);
        if shape.errors.is_empty() {
            return Ok((compiled?, document));
        }
        let meaning = compiled.err().unwrap_or_default();
        let sure: Vec<_> = meaning
            .into_iter()
            .filter(|error| shape.doubts.leave(error))
            .collect();
        Err([shape.errors, sure].concat())
    }
}
