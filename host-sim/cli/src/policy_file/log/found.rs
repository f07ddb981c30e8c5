//! The request that a line of another program tells of: an access log of nginx, Apache, Envoy, Istio,
//! Athens, goproxy, or whatever else has a path of the GOPROXY protocol in it.

use std::borrow::Cow;

use serde_json::Value;

/// Members in which programs write what was requested, the likeliest first.
const MEMBERS: [&str; 12] = [
    "path",
    "http-path",
    "http_path",
    "http.path",
    "uri",
    "request_uri",
    "requesturi",
    "requestpath",
    "request",
    "url",
    "http.url",
    "x-envoy-original-path",
];

/// Members in which they write how.
const METHODS: [&str; 6] = [
    "method",
    "http-method",
    "http_method",
    "http.method",
    "request_method",
    "requestmethod",
];

/// How deep in each other objects are looked at.
const DEPTH: usize = 4;

/// What a line asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<'l> {
    /// This path.
    Path(Cow<'l, str>),
    /// Something by another method than GET.
    OtherMethod,
}

/// The first path of the GOPROXY protocol in a text.
pub(super) fn in_text(text: &str) -> Option<Found<'_>> {
    let is_between = |c: char| c.is_whitespace() || "\"'`=|,;()[]<>{}".contains(c);
    let mut before = "";
    for token in text.split(is_between).filter(|token| !token.is_empty()) {
        if let Some(path) = path_of(token) {
            return Some(if is_other_method(before) {
                Found::OtherMethod
            } else {
                Found::Path(path.into())
            });
        }
        before = token;
    }
    None
}

/// The same of a line of JSON that is not of Modgate's access log.
pub(super) fn in_json(line: &str) -> Option<Found<'static>> {
    let value: Value = serde_json::from_str(line).ok()?;
    let (mut best, mut other_method) = (None, false);
    look(&value, "", DEPTH, &mut best, &mut other_method);
    let (_, found) = best?;
    Some(if other_method {
        Found::OtherMethod
    } else {
        found
    })
}

fn look(
    value: &Value,
    name: &str,
    depth: usize,
    best: &mut Option<(usize, Found<'static>)>,
    other_method: &mut bool,
) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (name, value) in members {
                look(
                    value,
                    &name.to_ascii_lowercase(),
                    depth - 1,
                    best,
                    other_method,
                );
            }
        }
        Value::String(text) if METHODS.contains(&name) => *other_method |= is_other_method(text),
        Value::String(text) => {
            let known = MEMBERS.iter().position(|member| *member == name);
            let rank = known.unwrap_or(MEMBERS.len());
            if best.as_ref().is_some_and(|(other, _)| *other <= rank) {
                return;
            }
            let found = match in_text(text) {
                None => return,
                Some(Found::OtherMethod) => Found::OtherMethod,
                Some(Found::Path(path)) => Found::Path(path.into_owned().into()),
            };
            *best = Some((rank, found));
        }
        _ => {}
    }
}

/// The path in a word of a line: a URL's, without its query, which the protocol has not.
fn path_of(token: &str) -> Option<&str> {
    let path = match token.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => token,
    };
    let path = path.split(['?', '#']).next()?;
    let is_path = path.starts_with('/')
        && (path.contains("/@v/") || path.ends_with("/@latest") || path.contains("/sumdb/"));
    is_path.then_some(path)
}

/// Whether this is a method, and none by which modules are requested.
fn is_other_method(word: &str) -> bool {
    matches!(
        word,
        "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "CONNECT" | "TRACE" | "PROPFIND"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/t/web/github.com/!burnt!sushi/toml/@v/v1.3.2.mod";

    #[test]
    fn a_request_is_found_in_the_logs_of_others() {
        for line in [
            // Common and combined, as nginx and Apache write them.
            format!(r#"10.0.0.1 - - [30/Nov/2026:17:00:00 +0000] "GET {PATH} HTTP/1.1" 200 53"#),
            format!(
                r#"10.0.0.1 - ann [30/Nov/2026:17:00:00 +0000] "HEAD {PATH} HTTP/1.1" 200 53 "-" "Go-http-client/1.1""#
            ),
            format!(
                r#"10.0.0.1 - - [x] "GET https://goproxy.corp.example{PATH} HTTP/1.1" 200 53 "https://a.example/x" "curl""#
            ),
            // Envoy's and Istio's text.
            format!(
                r#"[2026-11-30T17:00:00.000Z] "GET {PATH} HTTP/1.1" 200 - via_upstream - "-" 0 53 5 4 "-" "Go-http-client/1.1" "9a7c" "goproxy.corp.example" "10.0.0.1:3000" outbound|3000||athens"#
            ),
            format!(
                "INFO[5:00PM]: incoming request\thttp-method=GET http-path={PATH} http-status=200"
            ),
            format!("[GIN] 2026/11/30 - 17:00:00 | 200 | 1.2ms | 10.0.0.1 | GET      \"{PATH}\""),
            format!("200 GET {PATH} 1.2 ms 53 bytes, public"),
            format!("level=info msg=\"served\" url='{PATH}?go-get=1' status=200"),
            PATH.to_owned(),
        ] {
            assert_eq!(in_text(&line), Some(Found::Path(PATH.into())), "{line}");
        }
        for line in [
            format!(r#"{{"http-method":"GET","http-path":"{PATH}","level":"info"}}"#),
            format!(r#"{{"msg":"GET /other/@v/list","path":"{PATH}","response_code":200}}"#),
            format!(r#"{{"request":{{"method":"GET","uri":"{PATH}"}},"status":200}}"#),
            format!(r#"{{"RequestMethod":"GET","RequestPath":"{PATH}"}}"#),
            format!(r#"{{"request":"GET {PATH} HTTP/1.1"}}"#),
        ] {
            assert_eq!(in_json(&line), Some(Found::Path(PATH.into())), "{line}");
        }
    }

    #[test]
    fn a_line_without_a_module_request_is_ignored() {
        assert_eq!(
            in_text(&format!("\"POST {PATH} HTTP/1.1\"")),
            Some(Found::OtherMethod)
        );
        let json = format!(r#"{{"method":"PUT","path":"{PATH}"}}"#);
        assert_eq!(in_json(&json), Some(Found::OtherMethod));
        for line in [
            "",
            "started",
            "\"GET /healthz HTTP/1.1\" 200",
            "x/@v/list",
            "http://a@v/",
        ] {
            assert_eq!(in_text(line), None, "{line}");
        }
        for line in [
            "{}",
            "{\"level\":\"info\"}",
            "{\"path\":\"/healthz\"}",
            "[]",
            "{",
        ] {
            assert_eq!(in_json(line), None, "{line}");
        }
    }
}
