//! The client, as the command line describes it.

use modgate_policy::model::identity::Facts;

use crate::policy_file::request::header;
use modgate_go::http::Header;

/// What a request and its connection say of who sent it.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) headers: Vec<Header>,
    pub(super) facts: Given,
    /// What stands before the module's path: empty, or with a leading slash only.
    pub(super) prefix: String,
}

/// Attributes by their paths, whose elements are joined by dots.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(String, Vec<u8>)>);

impl Facts for Given {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path = path.join(".");
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, value)| value.clone())
    }
}

impl Sender {
    /// Reads the options; `None` where there are none.
    ///
    /// # Errors
    /// One sentence: the option that says nothing.
    pub(super) fn read(
        headers: &[String],
        facts: &[String],
        prefix: Option<&str>,
    ) -> Result<Option<Self>, String> {
        if headers.is_empty() && facts.is_empty() && prefix.is_none() {
            return Ok(None);
        }
        let fact = |text: &String| {
            let (path, value) = text
                .split_once('=')
                .filter(|(path, _)| !path.is_empty())
                .ok_or_else(|| format!("--fact {text:?}: write PATH=VALUE"))?;
            let list: Option<Vec<String>> = serde_json::from_str(value).ok();
            let value = list.map_or_else(|| value.as_bytes().to_vec(), |list| pairs(&list));
            Ok((path.to_owned(), value))
        };
        let prefix = prefix.unwrap_or_default().trim_matches('/');
        Ok(Some(Self {
            headers: headers
                .iter()
                .map(|text| header(text))
                .collect::<Result<_, String>>()?,
            facts: Given(facts.iter().map(fact).collect::<Result<_, String>>()?),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("/{prefix}")
            },
        }))
    }
}

/// A list as Envoy hands it to a filter: pairs whose keys are the elements.
fn pairs(list: &[String]) -> Vec<u8> {
    let pairs: Vec<_> = list
        .iter()
        .map(|element| (element.as_bytes(), &b""[..]))
        .collect();
    let mut bytes = (pairs.len() as u32).to_le_bytes().to_vec();
    for (key, value) in &pairs {
        bytes.extend((key.len() as u32).to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
    }
    for (key, value) in &pairs {
        bytes.extend([*key, b"\0", *value, b"\0"].concat());
    }
    bytes
}
