//! How a Go proxy reads the path that it gets, written down a second time and without the engine:
//! percent-decode, cut at the endpoint, undo the `!` escape (module reference, "GOPROXY protocol").

/// A module and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The module path, unescaped.
    pub module: String,
    /// The version or query, unescaped; none for a list and `@latest`.
    pub version: Option<String>,
}

/// Reads a path without what the backend's own URLs begin with; `None` for what is about no module.
///
/// # Panics
/// Where two Go proxies could read it differently, or any would refuse it.
pub fn read(path: &str) -> Option<Read> {
    let decoded = percent_decode(path);
    let rest = decoded.strip_prefix('/').expect("an absolute path");
    assert!(
        !rest.contains("//") && !rest.split('/').any(|e| matches!(e, "" | "." | "..")),
        "a path that cleaning would change: {path}"
    );
    if rest.starts_with("sumdb/") {
        return read_sumdb(rest);
    }
    if let Some(module) = rest.strip_suffix("/@latest") {
        return Some(Read {
            module: unescape(module),
            version: None,
        });
    }
    let (module, file) = rest.split_once("/@v/").expect("an endpoint");
    assert!(!file.contains('/'), "a second slash behind @v: {path}");
    let version = (file != "list").then(|| {
        let (version, extension) = file.rsplit_once('.').expect("an extension");
        assert!(
            matches!(extension, "info" | "mod" | "zip"),
            "no file of the protocol: {path}"
        );
        unescape(version)
    });
    Some(Read {
        module: unescape(module),
        version,
    })
}

fn read_sumdb(rest: &str) -> Option<Read> {
    let (_, name) = rest.split_once("/lookup/")?;
    let (module, version) = name.split_once('@').expect("a version");
    Some(Read {
        module: unescape(module),
        version: Some(unescape(version)),
    })
}

/// Undoes percent-encoding once.
///
/// # Panics
/// For what is no percent-encoding, or stands for something else than ASCII that can be printed.
pub fn percent_decode(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).expect("two digits");
        let byte = u8::from_str_radix(digits, 16).expect("hexadecimal digits");
        decoded.push(char::from(byte));
        decoded.push_str(rest);
    }
    assert!(
        decoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "not printable: {path}"
    );
    decoded
}

/// Undoes the case escape.
///
/// # Panics
/// For what the Go command would not have written.
pub fn unescape(name: &str) -> String {
    let mut parts = name.split('!');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let first = part.chars().next().filter(char::is_ascii_lowercase);
        plain.push(first.expect("a lower-case letter").to_ascii_uppercase());
        plain.push_str(&part[1..]);
    }
    assert!(
        !name.bytes().any(|byte| byte.is_ascii_uppercase()),
        "upper case: {name}"
    );
    plain
}
