//! Signed notes: a text, a blank line, and signatures (x/mod `sumdb/note`).

use std::fmt;

use base64::Engine;

use super::key::{BASE64, VerifierKey, is_name};

/// What a signature's line begins with.
const SIGNATURE: &str = "\u{2014} ";

/// The most signatures that a note can have.
const MAX_SIGNATURES: usize = 100;

/// Why a note says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// It is no note.
    Malformed,
    /// The known key has not signed it, though its signature stands there.
    BadSignature,
    /// The known key has not signed it.
    Unsigned,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the signed tree head is not a valid signed note",
            Self::BadSignature => "the signature of the tree head is wrong",
            Self::Unsigned => "the tree head is not signed by the key of the policy",
        })
    }
}

impl std::error::Error for NoteError {}

/// The text of a note that this key has signed, with its last line feed. What others have signed of it
/// says nothing; of two signatures by the key the first counts.
///
/// # Errors
/// A text of another form, or without a good signature by the key.
pub fn open<'n>(note: &'n [u8], key: &VerifierKey) -> Result<&'n str, NoteError> {
    let note = std::str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
    if !is_text(note) {
        return Err(NoteError::Malformed);
    }
    // A blank line in the text is a part of it: the last one ends it.
    let (text, signatures) = split(note).ok_or(NoteError::Malformed)?;
    let mut verified = None;
    for (i, line) in signatures.split_terminator('\n').enumerate() {
        let signature = Signature::parse(line).ok_or(NoteError::Malformed)?;
        if i >= MAX_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        if verified.is_some() || !key.is(signature.name, signature.hash) {
            continue;
        }
        if !key.verifies(text.as_bytes(), &signature.bytes) {
            return Err(NoteError::BadSignature);
        }
        verified = Some(text);
    }
    verified.ok_or(NoteError::Unsigned)
}

/// Whether a text has no control characters but line feeds.
pub(super) fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' || byte == b'\n')
}

/// The text with its line feed, and the lines of signatures, of which there is at least one.
fn split(note: &str) -> Option<(&str, &str)> {
    let blank = note.rfind("\n\n")?;
    let (text, rest) = note.split_at_checked(blank + 1)?;
    let signatures = rest.strip_prefix('\n')?;
    signatures.ends_with('\n').then_some((text, signatures))
}

/// A signature as it is written.
struct Signature<'n> {
    name: &'n str,
    hash: [u8; 4],
    bytes: Vec<u8>,
}

impl<'n> Signature<'n> {
    fn parse(line: &'n str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
        let decoded = BASE64.decode(encoded).ok()?;
        let (hash, bytes) = decoded.split_first_chunk()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name,
            hash: *hash,
            bytes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LATEST, PUBLIC_KEY, Signer};
    use super::*;

    #[test]
    fn a_note_of_the_public_database_opens() {
        let key = PUBLIC_KEY.parse().unwrap();
        let text = open(LATEST, &key).unwrap();
        assert!(text.starts_with("go.sum database tree\n") && text.ends_with("=\n"));
        let other = Signer::new("sum.golang.org", 1);
        assert_eq!(open(LATEST, other.key()), Err(NoteError::Unsigned));
    }

    #[test]
    fn a_bit_of_the_text_or_of_the_signature_is_noticed() {
        let key = PUBLIC_KEY.parse().unwrap();
        let end = LATEST.len() - 4;
        for at in 0..end {
            let mut forged = LATEST.to_vec();
            forged[at] ^= 1;
            assert!(open(&forged, &key).is_err(), "byte {at}");
        }
    }

    #[test]
    fn only_the_known_keys_good_signature_counts() {
        let (ours, theirs) = (Signer::new("a.b/db", 1), Signer::new("c.d", 2));
        let same_name = Signer::new("a.b/db", 3);
        let text = "some\n\ntext\n";
        let (own, other) = (ours.line(text), theirs.line(text));
        let twice = ours.line("something else\n");
        let long = own.repeat(100);
        for (signatures, opened) in [
            (own.clone(), Ok(text)),
            (format!("{other}{own}"), Ok(text)),
            (format!("{other}{own}{other}"), Ok(text)),
            (format!("{}{own}", same_name.line(text)), Ok(text)),
            (long.clone(), Ok(text)),
            // Of two by one key the first counts, as in Go.
            (format!("{own}{twice}"), Ok(text)),
            (format!("{twice}{own}"), Err(NoteError::BadSignature)),
            (twice.clone(), Err(NoteError::BadSignature)),
            (format!("{other}{twice}"), Err(NoteError::BadSignature)),
            (other.clone(), Err(NoteError::Unsigned)),
            (same_name.line(text), Err(NoteError::Unsigned)),
            (String::new(), Err(NoteError::Malformed)),
            (format!("{long}{own}"), Err(NoteError::Malformed)),
            (own.trim_end().to_owned(), Err(NoteError::Malformed)),
            (own.replace('\u{2014}', "-"), Err(NoteError::Malformed)),
            (own.replace("a.b/db ", "a.b/db"), Err(NoteError::Malformed)),
            (own.replace("a.b/db", "a.b+db"), Err(NoteError::Malformed)),
            (own.replace("a.b/db", ""), Err(NoteError::Malformed)),
            (own.replace('=', ""), Err(NoteError::Malformed)),
            (own.replace('\n', "\r\n"), Err(NoteError::Malformed)),
            (format!("{own}more text\n"), Err(NoteError::Malformed)),
            ("\u{2014} a.b/db \n".to_owned(), Err(NoteError::Malformed)),
            (
                "\u{2014} a.b/db AAAA\n".to_owned(),
                Err(NoteError::Malformed),
            ),
        ] {
            let note = format!("{text}\n{signatures}");
            assert_eq!(open(note.as_bytes(), ours.key()), opened, "{note}");
        }
        for note in ["", "\n", "text\n", "\n\n"] {
            assert_eq!(
                open(note.as_bytes(), ours.key()),
                Err(NoteError::Malformed),
                "{note:?}"
            );
        }
        let binary = [b"\xff\n\n", own.as_bytes()].concat();
        assert_eq!(open(&binary, ours.key()), Err(NoteError::Malformed));
    }
}
