//! A document that is read where it stands, without a tree of its values beside the text: what a proxy
//! takes of memory for a new policy, it keeps.
//!
//! This reads what is good and nothing else. Whatever is odd is left to the careful reading, which says what
//! is wrong and where.

use std::borrow::Cow;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::reader::{self, Opened, Source};
use super::{Document, UNHASHED, json};

/// How deep lists and objects may lie in each other. No document is nearly as deep, and each level is read
/// once more for every level above it.
const MAX_DEPTH: usize = 16;

/// The document and the digest of its canonical form.
pub(super) fn read(bytes: &[u8]) -> Option<(Document, Sha256)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut scan = Scan { text, at: 0 };
    scan.space();
    let document = scan.value()?;
    scan.space();
    if scan.at != text.len() {
        return None;
    }
    let mut digest = Sha256::new();
    document.hash(0, &mut digest)?;
    let document = reader::read(Source::Text(document)).ok()?;
    Some((document, digest))
}

/// A value as it stands in the text, without the space around it.
#[derive(Clone, Copy)]
pub(super) struct Raw<'t>(&'t str);

impl<'t> Raw<'t> {
    /// Adds the canonical form; `None` where there is something odd.
    fn hash(self, depth: usize, digest: &mut Sha256) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        match self.0.as_bytes().first()? {
            b'{' => {
                let mut members = self.members()?;
                members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                let twice =
                    |pair: &[(Cow<'_, str>, Raw<'_>)]| matches!(pair, [(a, _), (b, _)] if a == b);
                if members.windows(2).any(twice) {
                    return None;
                }
                digest.update("{");
                for (key, member) in members {
                    if member.is_null() {
                        continue;
                    }
                    if depth == 0 && UNHASHED.contains(&&*key) {
                        // Not hashed, and read all the same.
                        member.hash(depth + 1, &mut Sha256::new())?;
                        continue;
                    }
                    hash_text(&key, digest);
                    digest.update(":");
                    member.hash(depth + 1, digest)?;
                    digest.update(",");
                }
                digest.update("}");
            }
            b'[' => {
                digest.update("[");
                for element in self.elements()? {
                    element.hash(depth + 1, digest)?;
                    digest.update(",");
                }
                digest.update("]");
            }
            b'"' => hash_text(&self.text()?, digest),
            b't' | b'f' => {
                self.boolean()?;
                digest.update(self.0);
            }
            _ => digest.update(self.number()?.to_string()),
        }
        Some(())
    }

    /// Its outermost part, without the members that are null; `None` where there is something odd.
    pub(super) fn open(self) -> Option<Opened<'t>> {
        Some(match self.0.as_bytes().first()? {
            b'{' => {
                let members = self.members()?.into_iter();
                let members = members.filter(|(_, member)| !member.is_null());
                Opened::Object(members.map(|(key, raw)| (key, Source::Text(raw))).collect())
            }
            b'[' => Opened::List(self.elements()?.into_iter().map(Source::Text).collect()),
            b'"' => Opened::Text(self.text()?),
            b't' | b'f' => Opened::Boolean(self.boolean()?),
            _ => Opened::Number(self.number()?),
        })
    }

    /// Whether it is as if it were not there, where it is a member.
    fn is_null(self) -> bool {
        self.0 == "null"
    }

    fn members(self) -> Option<Vec<(Cow<'t, str>, Raw<'t>)>> {
        let mut scan = Scan {
            text: self.0,
            at: 0,
        };
        let mut members = Vec::new();
        scan.list(b'{', b'}', |scan| {
            let key = Raw(scan.string()?).text()?;
            scan.space();
            scan.eat(b':')?;
            scan.space();
            members.push((key, scan.value()?));
            Some(())
        })?;
        Some(members)
    }

    fn elements(self) -> Option<Vec<Raw<'t>>> {
        let mut scan = Scan {
            text: self.0,
            at: 0,
        };
        let mut elements = Vec::new();
        scan.list(b'[', b']', |scan| {
            elements.push(scan.value()?);
            Some(())
        })?;
        Some(elements)
    }

    fn text(self) -> Option<Cow<'t, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.bytes().all(|byte| byte >= b' ' && byte != b'\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str(self.0).ok().map(Cow::Owned)
    }

    fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }

    /// A number as the careful reading has it.
    fn number(self) -> Option<Number> {
        match json::read(self.0.as_bytes()).ok()? {
            (Value::Number(number), errors) if errors.is_empty() => Some(number),
            _ => None,
        }
    }
}

/// As `serde_json` writes it.
fn hash_text(text: &str, digest: &mut Sha256) {
    if text
        .bytes()
        .all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\'))
    {
        digest.update("\"");
        digest.update(text);
        digest.update("\"");
    } else {
        digest.update(Value::from(text).to_string());
    }
}

/// A text that is read from its beginning.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// A list, or an object's members, up to the end of the text.
    fn list(
        &mut self,
        opens: u8,
        closes: u8,
        mut one: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.eat(opens)?;
        self.space();
        if self.next()? != closes {
            loop {
                one(self)?;
                self.space();
                if self.next()? != b',' {
                    break;
                }
                self.at += 1;
                self.space();
            }
        }
        self.eat(closes)?;
        (self.at == self.text.len()).then_some(())
    }

    /// A value up to its end. What stands within is not looked at.
    fn value(&mut self) -> Option<Raw<'t>> {
        let start = self.at;
        match self.next()? {
            b'"' => return self.string().map(Raw),
            b'{' | b'[' => self.nested()?,
            _ => {
                let is_scalar =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                while self.next().is_some_and(is_scalar) {
                    self.at += 1;
                }
            }
        }
        let text = self.text.get(start..self.at)?;
        (!text.is_empty()).then_some(Raw(text))
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<&'t str> {
        let start = self.at;
        self.eat(b'"')?;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> Option<String> {
        let mut digest = Sha256::new();
        let mut scan = Scan { text, at: 0 };
        let value = scan.value()?;
        (scan.at == text.len()).then_some(())?;
        value.hash(0, &mut digest)?;
        Some(super::super::hex(digest))
    }

    #[test]
    fn what_is_good_has_the_hash_that_the_careful_reading_gives() {
        for text in [
            r#"{}"#,
            r#"{"b":[1,2.5,-3,1e3,1.0,true,false,"x"],"a":{"d":"é\n\u00e9\"\\/","c":[]}}"#,
            r#"{ "b" : [ 1 , { } ] , "a" : "\u007f" }"#,
            r#"{"z":"","\u0061":"b","tests":[{"x":1}]}"#,
            r#"{"a":null,"b":{"c":null},"d":[{"e":null,"f":1}],"tests":null}"#,
            "{\"del\":\"\u{7f}\",\"\\ud83d\\ude00\":\"\u{1F600}\"}",
        ] {
            let (value, errors) = json::read(text.as_bytes()).unwrap();
            assert!(errors.is_empty());
            let careful = super::super::canonical_hash(&value);
            assert_eq!(hash(text), Some(careful), "{text}");
        }
    }

    #[test]
    fn what_is_odd_is_left_to_the_careful_reading() {
        for text in [
            r#"{"a":[null]}"#,
            r#"{"a":nul}"#,
            "null",
            r#"{"a":null,"a":1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"a":1,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":01}"#,
            r#"{"a":tru}"#,
            r#"{"a":[}}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"x}"#,
            r#"{"a":1 2}"#,
            r#"{"a":}"#,
            r#"{"a"}"#,
            r#"{,}"#,
            "{",
            "",
            r#"{"tests":[null]}"#,
            &format!("{}{}", "[".repeat(200), "]".repeat(200)),
        ] {
            assert_eq!(hash(text), None, "{text}");
        }
    }
}
