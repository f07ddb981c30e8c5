//! Where proxies get the filter from: `--module` and `--sha256`.

/// A module whose bytes are known: what a control plane fetches is checked against them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ModuleSource {
    /// An image in a registry, with its digest.
    Oci(String),
    /// A file on a web server, with the SHA-256 of its bytes in hexadecimal.
    Http { url: String, sha256: String },
}

impl ModuleSource {
    /// Reads `oci://REGISTRY/NAME@sha256:DIGEST`, or a URL with the SHA-256 of the file there.
    ///
    /// # Errors
    /// Where the bytes are not fixed: a tag may name another module tomorrow. And where there is no scheme:
    /// Istio takes `host:5000/name` for a URL of the scheme `host`, drops the extension and lets traffic pass
    /// unfiltered.
    pub(super) fn of(module: &str, sha256: Option<&str>) -> Result<Self, String> {
        if let Some(sha256) = sha256.filter(|text| !is_sha256(text)) {
            return Err(format!(
                "--sha256 {sha256:?}: it must be 64 of `0-9 a-f`, as `sha256sum modgate.wasm` prints"
            ));
        }
        if let Some(reference) = module.strip_prefix("oci://") {
            let (name, digest) = reference.split_once("@sha256:").unwrap_or((reference, ""));
            if !is_sha256(digest) {
                return Err(format!(
                    "--module {module:?}: it must end in `@sha256:` and the image's digest; a tag may name another module tomorrow"
                ));
            }
            if !name.contains('/') || name.starts_with('/') || name.ends_with('/') {
                return Err(format!(
                    "--module {module:?}: it must be oci://REGISTRY/NAME@sha256:DIGEST"
                ));
            }
            if sha256.is_some_and(|sha256| sha256 != digest) {
                return Err(
                    "--sha256 is of a module on a web server; an image has its digest in --module"
                        .to_owned(),
                );
            }
            return Ok(Self::Oci(module.to_owned()));
        }
        let uri: Option<http::Uri> = module.parse().ok();
        let scheme = uri.as_ref().and_then(http::Uri::scheme_str);
        if !matches!(scheme, Some("http" | "https")) {
            return Err(format!(
                "--module {module:?}: it must begin with oci://, https:// or http://"
            ));
        }
        match sha256 {
            Some(sha256) => Ok(Self::Http { url: module.to_owned(), sha256: sha256.to_owned() }),
            None => Err("a module on a web server needs --sha256, or whoever answers for that server chooses the filter".to_owned()),
        }
    }

    /// The URL as control planes read it.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Oci(url) | Self::Http { url, .. } => url,
        }
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_module_of_known_bytes_is_taken() {
        let sha = "a1".repeat(32);
        let image = format!("oci://registry.corp.example/modgate@sha256:{sha}");
        let rows = [
            ("an image by digest", image.clone(), None, Ok(())),
            (
                "with a port",
                image.replace("example/", "example:5000/"),
                None,
                Ok(()),
            ),
            ("its digest twice", image.clone(), Some(sha.clone()), Ok(())),
            (
                "a file with its hash",
                "https://files.corp.example/modgate.wasm".into(),
                Some(sha.clone()),
                Ok(()),
            ),
            (
                "an image by tag",
                "oci://registry.corp.example/modgate:v1".into(),
                None,
                Err("@sha256:"),
            ),
            (
                "no scheme",
                image.replace("oci://", ""),
                None,
                Err("must begin with oci://"),
            ),
            (
                "a port and no scheme",
                "registry:5000/modgate".into(),
                None,
                Err("must begin with oci://"),
            ),
            (
                "a file of the proxy",
                "file:///modgate.wasm".into(),
                None,
                Err("must begin with oci://"),
            ),
            (
                "a file without a hash",
                "https://files.corp.example/modgate.wasm".into(),
                None,
                Err("needs --sha256"),
            ),
            (
                "a hash in capitals",
                "https://files.corp.example/modgate.wasm".into(),
                Some(sha.to_uppercase()),
                Err("64 of"),
            ),
            (
                "a short digest",
                image.replace("a1a1", ""),
                None,
                Err("@sha256:"),
            ),
            (
                "no name",
                format!("oci://registry@sha256:{sha}"),
                None,
                Err("REGISTRY/NAME"),
            ),
            (
                "another hash",
                image,
                Some("b2".repeat(32)),
                Err("its digest in --module"),
            ),
        ];
        table_rows::check(rows, |(_, module, sha256, expected)| {
            let found = ModuleSource::of(&module, sha256.as_deref());
            match (found, expected) {
                (Ok(source), Ok(())) => assert_eq!(source.url(), module),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{found:?}"),
            }
        });
    }
}
