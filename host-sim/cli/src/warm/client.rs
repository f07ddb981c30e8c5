//! Asking a Go proxy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_serve::{Connector, Proxies, connector, header_in, innermost, port, tls_config};
use http::header::{HeaderMap, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How many redirects are followed, as by the Go command (net/http).
const MAX_REDIRECTS: usize = 10;

/// How long a proxy may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Asks one proxy.
#[derive(Debug)]
pub(super) struct Client {
    http: HttpClient<Connector, Empty<Bytes>>,
    proxies: Arc<Proxies>,
    /// Without a slash at its end.
    base: String,
    origin: (Option<String>, Option<String>),
    headers: HeaderMap,
}

impl Client {
    /// For a proxy, with headers whose values are in files.
    ///
    /// # Errors
    /// One sentence, which never has a secret in it.
    pub(super) fn new(
        proxy: &str,
        headers: &[(String, PathBuf)],
        ca_files: &[PathBuf],
    ) -> Result<Self, String> {
        let uri: Uri = proxy.parse().map_err(|_| {
            "--proxy: not a valid URL such as https://goproxy.corp.example".to_owned()
        })?;
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err("--proxy: the URL has a user name; put the header into a file and use --header-file authorization=FILE".to_owned());
        }
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!(
                "--proxy: {proxy:?} is not a valid URL such as https://goproxy.corp.example"
            ));
        }
        if uri.query().is_some() {
            return Err("--proxy: the URL of a proxy cannot have a query".to_owned());
        }
        port(&uri).map_err(|error| format!("--proxy: {error}"))?;
        let tls = tls_config(true, ca_files).map_err(|error| error.to_string())?;
        let proxies = Arc::new(Proxies::of_environment()?);
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector(tls, CONNECT, Arc::clone(&proxies)));
        Ok(Self {
            http,
            proxies,
            base: proxy.trim_end_matches('/').to_owned(),
            origin: origin(&uri),
            headers: header_map(headers)?,
        })
    }

    /// The answer to a path, behind redirects.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn get(&self, path: &str) -> Result<Response<Incoming>, String> {
        let url = format!("{}{path}", self.base);
        let mut url: Uri = url.parse().map_err(|_| "its URL is not valid".to_owned())?;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::new(Empty::new());
            *request.headers_mut() = self.headers.clone();
            if origin(&url) != self.origin {
                // What is for the proxy is for nobody else.
                for (name, _) in &self.headers {
                    request.headers_mut().remove(name);
                }
            }
            let agent = HeaderValue::from_static("modgate-warm");
            request.headers_mut().insert(USER_AGENT, agent);
            if let Some(value) = self.proxies.authorization(&url) {
                request.headers_mut().insert(PROXY_AUTHORIZATION, value);
            }
            *request.uri_mut() = url.clone();
            let answer = self
                .http
                .request(request)
                .await
                .map_err(|error| format!("the request failed: {}", innermost(&error)))?;
            let place = answer.headers().get(LOCATION).cloned();
            let (true, Some(place)) = (answer.status().is_redirection(), place) else {
                return Ok(answer);
            };
            url = follow(&url, &place).ok_or("it redirects to an invalid URL")?;
        }
        Err(format!("it redirects more than {MAX_REDIRECTS} times"))
    }
}

/// Scheme and authority.
fn origin(uri: &Uri) -> (Option<String>, Option<String>) {
    let authority = uri.authority().map(|a| a.as_str().to_ascii_lowercase());
    (uri.scheme_str().map(ToOwned::to_owned), authority)
}

/// Where a redirect leads, relative to where it comes from (RFC 9110, section 10.2.2; RFC 3986, section
/// 5.2).
fn follow(from: &Uri, place: &HeaderValue) -> Option<Uri> {
    let place = place.to_str().ok()?.split('#').next()?;
    let end = place.find(['/', '?']).unwrap_or(place.len());
    if place[..end].contains(':') {
        let to: Uri = place.parse().ok()?;
        return matches!(to.scheme_str(), Some("http" | "https")).then_some(to);
    }
    if place.starts_with("//") {
        return format!("{}:{place}", from.scheme_str()?).parse().ok();
    }
    let (path, query) = match place.find('?') {
        Some(at) => place.split_at(at),
        None => (place, ""),
    };
    let path = match path.chars().next() {
        None => from.path().to_owned(),
        Some('/') => without_dots(path),
        Some(_) => {
            let (folder, _) = from.path().rsplit_once('/')?;
            without_dots(&format!("{folder}/{path}"))
        }
    };
    let mut parts = from.clone().into_parts();
    parts.path_and_query = Some(format!("{path}{query}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut elements = path.split('/').skip(1).peekable();
    while let Some(element) = elements.next() {
        match element {
            "." => {}
            ".." => _ = kept.pop(),
            element => {
                kept.push(element);
                continue;
            }
        }
        if elements.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

fn header_map(headers: &[(String, PathBuf)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, file) in headers {
        let failed = |why: &str| format!("--header-file {name}: {why}");
        let known = HeaderName::from_bytes(name.as_bytes());
        let known = known.map_err(|_| failed("not a valid header name"))?;
        map.insert(known, header_in(file).map_err(|why| failed(&why))?);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_only_to_a_listed_target() {
        let from: Uri = "https://a.example/x/y".parse().unwrap();
        let rows = [
            ("/z?q", Some("https://a.example/z?q")),
            ("http://b.example/z", Some("http://b.example/z")),
            ("http://b.example?q", Some("http://b.example/?q")),
            ("//b.example/z", Some("https://b.example/z")),
            ("z", Some("https://a.example/x/z")),
            ("./z?q", Some("https://a.example/x/z?q")),
            ("../z", Some("https://a.example/z")),
            ("../../z", Some("https://a.example/z")),
            ("/b/./c/../z/..", Some("https://a.example/b/")),
            ("?q", Some("https://a.example/x/y?q")),
            ("#here", Some("https://a.example/x/y")),
            ("ftp://b.example/z", None),
            ("javascript:alert(1)", None),
        ];
        table_rows::check(rows, |(place, to)| {
            let found = follow(&from, &HeaderValue::from_static(place));
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), to, "{place}");
        });
    }

    #[test]
    fn a_url_with_a_secret_is_refused_without_repeating_it() {
        let error = Client::new("https://user:s3cret@a.example", &[], &[]).unwrap_err();
        assert!(
            error.contains("--header-file") && !error.contains("s3cret"),
            "{error}"
        );
        for bad in [
            "a.example",
            "ftp://a.example",
            "direct",
            "http://a.example?x=1",
        ] {
            assert!(Client::new(bad, &[], &[]).is_err(), "{bad}");
        }
    }
}
