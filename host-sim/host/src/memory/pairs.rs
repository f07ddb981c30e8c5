//! Pairs of byte strings as they go through the ABI: the count, the sizes of each name and value,
//! then names and values, each ended by a NUL; all numbers `u32`, little-endian.
//! (proxy-wasm-cpp-host, `src/pairs_util.cc`.)

use super::leading_u32;

/// More than this is taken for no pairs at all (`PROXY_WASM_HOST_PAIRS_MAX_COUNT`).
const MAX_COUNT: u32 = 1024;
/// A longer encoding is taken for no pairs at all (`PROXY_WASM_HOST_PAIRS_MAX_BYTES`).
const MAX_BYTES: usize = 1024 * 1024;

/// The encoding of the pairs; of none, nothing.
pub(crate) fn encode_pairs<'a>(
    pairs: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
) -> Vec<u8> {
    if pairs.len() == 0 {
        return Vec::new();
    }
    let size = pairs
        .clone()
        .map(|(name, value)| name.len() + value.len() + 10)
        .sum::<usize>()
        + 4;
    let mut encoded = Vec::with_capacity(size);
    let length = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    encoded.extend_from_slice(&length(pairs.len()));
    for (name, value) in pairs.clone() {
        encoded.extend_from_slice(&length(name.len()));
        encoded.extend_from_slice(&length(value.len()));
    }
    for (name, value) in pairs {
        encoded.extend_from_slice(name);
        encoded.push(0);
        encoded.extend_from_slice(value);
        encoded.push(0);
    }
    encoded
}

/// The pairs of an encoding. One that is not exact in every byte gives none, as in Envoy.
pub(crate) fn parse_pairs(encoded: &[u8]) -> Vec<(&[u8], &[u8])> {
    parse(encoded).unwrap_or_default()
}

fn parse(encoded: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if encoded.len() > MAX_BYTES {
        return None;
    }
    let count = leading_u32(encoded).filter(|count| *count <= MAX_COUNT)? as usize;
    let (sizes, mut rest) = encoded.get(4..)?.split_at_checked(count * 8)?;
    let mut pairs = Vec::with_capacity(count);
    for size in sizes.chunks_exact(8) {
        let (name, after) = terminated(rest, leading_u32(size)?)?;
        let (value, after) = terminated(after, leading_u32(size.get(4..)?)?)?;
        pairs.push((name, value));
        rest = after;
    }
    rest.is_empty().then_some(pairs)
}

fn terminated(bytes: &[u8], len: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(len as usize)?;
    Some((text, rest.strip_prefix(&[0])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_parsed() {
        let pairs: [(&[u8], &[u8]); 3] = [(b"a", b"bc"), (b"", b""), (b"x\0y", b"\xff")];
        let encoded = encode_pairs(pairs.into_iter());
        assert_eq!(encoded.len(), 4 + 3 * 8 + 5 + 2 + 6);
        assert_eq!(parse_pairs(&encoded), pairs);
        for cut in 0..encoded.len() {
            assert!(parse_pairs(&encoded[..cut]).is_empty(), "cut at {cut}");
        }
        let mut longer = encoded;
        longer.push(0);
        assert!(parse_pairs(&longer).is_empty());
    }

    #[test]
    fn no_pairs_are_no_bytes() {
        assert!(encode_pairs(std::iter::empty()).is_empty());
        assert!(parse_pairs(&[]).is_empty());
        assert!(parse_pairs(&[0, 0, 0, 0]).is_empty());
    }

    #[test]
    fn sizes_that_lie_give_none_and_cost_nothing() {
        for lie in [
            &[0xff; 4][..],
            &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'a', 1, b'b', 0],
        ] {
            assert!(parse_pairs(lie).is_empty());
        }
    }
}
