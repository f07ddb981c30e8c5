//! The host of a URL or a request, with or without a port (RFC 3986, section 3.2).

/// Parts an authority without user information into its host, brackets of an IPv6 address included, and its port.
/// `None` where it is none: a host is of `A-Z a-z 0-9 - . _`, or an address of hexadecimal digits, `:` and `.` in
/// brackets; a port is a number from 1 to 65535.
pub fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, behind) = authority.split_at_checked(host_end)?;
    let is_sound = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => {
            let of_address = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
            address.contains(':') && address.bytes().all(of_address)
        }
        None => {
            let of_name = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            !host.is_empty() && host.bytes().all(of_name)
        }
    };
    if !is_sound {
        return None;
    }
    match behind.strip_prefix(':') {
        None => behind.is_empty().then_some((host, None)),
        Some(port) => Some((host, Some(parse_port(port)?))),
    }
}

/// A port as one writes it: digits alone, without a zero before them.
fn parse_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        let rows = [
            ("a.example", Some(("a.example", None))),
            ("a.example:443", Some(("a.example", Some(443)))),
            ("A_b.example:65535", Some(("A_b.example", Some(65535)))),
            ("10.0.0.1:80", Some(("10.0.0.1", Some(80)))),
            ("[2001:db8::1]", Some(("[2001:db8::1]", None))),
            (
                "[::ffff:10.0.0.1]:80",
                Some(("[::ffff:10.0.0.1]", Some(80))),
            ),
            ("", None),
            (":80", None),
            ("a.example:", None),
            ("a.example:0", None),
            ("a.example:080", None),
            ("a.example:65536", None),
            ("a.example:70000", None),
            ("a.example:+80", None),
            ("a.example:80:81", None),
            ("2001:db8::1", None),
            ("[::1", None),
            ("[a]", None),
            ("[::1]80", None),
            ("[::1]:", None),
            ("a]b", None),
            ("user@a.example", None),
            ("a b", None),
        ];
        table_rows::check(rows, |(text, expected)| {
            assert_eq!(split_authority(text), expected)
        });
    }
}
