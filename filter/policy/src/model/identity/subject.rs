//! A certificate's subject as proxies write it: RFC 4514 (and RFC 2253 before it).

/// The values of one attribute type, such as `OU`; `None` where the text is no subject.
///
/// What is escaped stays inside its value, so a common name cannot smuggle in a unit:
/// `CN=a\,OU=b` has no OU.
pub(crate) fn values(subject: &str, attribute: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = subject;
    while !rest.is_empty() {
        let (kind, behind) = rest.split_once('=')?;
        let (value, next) = value(behind)?;
        if kind.trim().eq_ignore_ascii_case(attribute) {
            found.push(value);
        }
        rest = next;
    }
    Some(found)
}

/// One attribute's value, and what stands behind the `,` or `+` that ends it.
fn value(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => bytes.extend(escaped(&mut chars)?),
            // A value in quotes (RFC 2253) or in hexadecimal is read by nobody here the same way.
            '"' | ';' | '<' | '>' => return None,
            '#' if at == 0 => return None,
            ',' | '+' => {
                let behind = text.get(at + 1..)?;
                return (!behind.is_empty()).then_some((String::from_utf8(bytes).ok()?, behind));
            }
            c => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some((String::from_utf8(bytes).ok()?, ""))
}

/// What a backslash stands for: two hexadecimal digits, or the character itself.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Option<Vec<u8>> {
    let (_, first) = chars.next()?;
    let Some(high) = first.to_digit(16) else {
        return Some(first.to_string().into_bytes());
    };
    let low = chars.next()?.1.to_digit(16)?;
    u8::try_from(high << 4 | low).ok().map(|byte| vec![byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_and_cannot_be_smuggled_in() {
        for (subject, units) in [
            (
                "CN=build-7,OU=payments,O=corp",
                Some(&["payments"] as &[&str]),
            ),
            ("OU=payments", Some(&["payments"])),
            ("ou=a+CN=x,OU=b", Some(&["a", "b"])),
            (r"CN=a\,OU=payments,O=corp", Some(&[])),
            (r"CN=a\2COU\3Dpayments", Some(&[])),
            (r#"CN=\"\,OU=payments,OU=web"#, Some(&["web"])),
            (r"OU=pay\6Dents", Some(&["payments"])),
            ("CN=a", Some(&[])),
            ("", Some(&[])),
            ("OU=a,", None),
            ("OU", None),
            ("CN=\"a,OU=payments\"", None),
            ("OU=#0401", None),
            (r"OU=a\", None),
            (r"OU=a\4", None),
        ] {
            let units: Option<Vec<String>> =
                units.map(|units| units.iter().map(|u| (*u).to_owned()).collect());
            assert_eq!(values(subject, "OU"), units, "{subject}");
        }
    }
}
