//! A database's verifier key, as `GOSUMDB` gives it: `NAME+HASH+KEY` (x/mod `sumdb/note`).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Base64 as Go reads it: bits that say nothing need not be zero.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The first byte of a key's data: Ed25519.
const ED25519: u8 = 1;

/// Who signs a database's tree heads. Displays as it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    hash: [u8; 4],
    key: VerifyingKey,
}

/// Why a text is no verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAKey {
    /// Not `NAME+HASH+KEY`, with a hash of 8 hexadecimal digits and a key in base64.
    Form,
    /// The hash is not that of the name and the key: something was lost or mistyped.
    Hash,
    /// Not an Ed25519 key, which is what the Go command knows, or one that anybody can sign for.
    Algorithm,
}

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "a verifier key is NAME+HASH+KEY, such as sum.golang.org+033de0ae+Ac4zctda0e5e..."
            }
            Self::Hash => "the hash in the middle does not match the name and the key",
            Self::Algorithm => "the key is not a valid Ed25519 public key",
        })
    }
}

impl std::error::Error for NotAKey {}

impl FromStr for VerifierKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (name, rest) = text.split_once('+').ok_or(NotAKey::Form)?;
        let (hash, data) = rest.split_once('+').ok_or(NotAKey::Form)?;
        let digits = hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        let hash = u32::from_str_radix(hash, 16).map_err(|_| NotAKey::Form)?;
        let data = BASE64.decode(data).map_err(|_| NotAKey::Form)?;
        if !digits || !is_name(name) || data.is_empty() {
            return Err(NotAKey::Form);
        }
        let hash = hash.to_be_bytes();
        if hash != hash_of(name, &data) {
            return Err(NotAKey::Hash);
        }
        let Some((&ED25519, point)) = data.split_first() else {
            return Err(NotAKey::Algorithm);
        };
        let point: &[u8; 32] = point.try_into().map_err(|_| NotAKey::Algorithm)?;
        let key = VerifyingKey::from_bytes(point).map_err(|_| NotAKey::Algorithm)?;
        if key.is_weak() {
            return Err(NotAKey::Algorithm);
        }
        Ok(Self {
            name: name.to_owned(),
            hash,
            key,
        })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let hash = u32::from_be_bytes(self.hash);
        write!(f, "{}+{hash:08x}+{}", self.name, BASE64.encode(data))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl VerifierKey {
    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature line with this name and hash claims to be by this key.
    pub(super) fn is(&self, name: &str, hash: [u8; 4]) -> bool {
        self.name == name && self.hash == hash
    }

    /// Whether this key signed the text.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

/// The number that stands for a key: of what it is, and of whose.
pub(super) fn hash_of(name: &str, data: &[u8]) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update("\n")
        .chain_update(data)
        .finalize();
    let digest: [u8; 32] = digest.into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// Whether this can be a signer's name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::super::testing::PUBLIC_KEY;
    use super::*;

    #[test]
    fn the_public_databases_key_reads_and_writes() {
        let key: VerifierKey = PUBLIC_KEY.parse().unwrap();
        assert_eq!(key.name(), "sum.golang.org");
        assert_eq!(key.to_string(), PUBLIC_KEY);
    }

    #[test]
    fn an_invalid_key_is_refused_with_the_reason() {
        let weak = {
            let data = [&[ED25519], [0; 32].as_slice()].concat();
            let hash = u32::from_be_bytes(hash_of("a.b", &data));
            format!("a.b+{hash:08x}+{}", BASE64.encode(data))
        };
        let other = {
            let data = [&[2], [7; 32].as_slice()].concat();
            let hash = u32::from_be_bytes(hash_of("a.b", &data));
            format!("a.b+{hash:08x}+{}", BASE64.encode(data))
        };
        for (text, why) in [
            (String::new(), NotAKey::Form),
            ("sum.golang.org".to_owned(), NotAKey::Form),
            (PUBLIC_KEY.replace("+033de0ae", ""), NotAKey::Form),
            (PUBLIC_KEY.replace("033de0ae", "33de0ae"), NotAKey::Form),
            (PUBLIC_KEY.replace("033de0ae", "+33de0ae"), NotAKey::Form),
            (PUBLIC_KEY.replace("sum.", "sum "), NotAKey::Form),
            (format!("{PUBLIC_KEY} "), NotAKey::Form),
            (PUBLIC_KEY.replace("033de0ae", "033de0af"), NotAKey::Hash),
            (PUBLIC_KEY.replace("sum.", "sun."), NotAKey::Hash),
            (PUBLIC_KEY.replace("Ac4z", "Ac4y"), NotAKey::Hash),
            (weak, NotAKey::Algorithm),
            (other, NotAKey::Algorithm),
        ] {
            assert_eq!(text.parse::<VerifierKey>(), Err(why), "{text}");
        }
    }
}
