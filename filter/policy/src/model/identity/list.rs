//! Lists as Envoy hands them to a filter: the pairs encoding of proxy-wasm.

/// The elements of a list property; `None` where the bytes are no list.
///
/// The encoding is a count, then the sizes of each pair's key and value (all 32 bits, little
/// endian), then keys and values, each with a NUL behind it. A list's elements are the keys.
pub(crate) fn elements(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (count, mut sizes) = number(bytes)?;
    let table = usize::try_from(count).ok()?.checked_mul(8)?;
    let mut data = sizes.get(table..)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let (key_size, behind) = number(sizes)?;
        let (value_size, behind) = number(behind)?;
        sizes = behind;
        let (key, behind) = terminated(data, key_size)?;
        let (_, behind) = terminated(behind, value_size)?;
        data = behind;
        found.push(key);
    }
    data.is_empty().then_some(found)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*first), rest))
}

fn terminated(bytes: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
    Some((text, rest.strip_prefix(&[0])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let two = b"\x02\0\0\0\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0web\0\0a\0\0";
        assert_eq!(elements(two), Some(vec![&b"web"[..], b"a"]));
        assert_eq!(elements(b"\0\0\0\0"), Some(vec![]));
        for end in 0..two.len() {
            assert_eq!(elements(&two[..end]), None, "{end}");
        }
        for bad in [
            &b"payments"[..],
            b"\xff\xff\xff\xff\0\0\0\0",
            b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0\0",
            b"\0\0\0\0more",
        ] {
            assert_eq!(elements(bad), None);
        }
    }
}
