//! Reading a document's members one by one, past every mistake.

use modgate_policy::document::{PolicyError, did_you_mean, member_path};

use crate::policy_file::Source;
use crate::policy_file::load::Finding;
use plain_yaml::{Kind, Member, Node};

/// A value in a file, with its JSON path.
#[derive(Clone, Debug)]
pub(super) struct At<'n> {
    pub(super) source: &'n Source,
    pub(super) node: &'n Node,
    pub(super) path: String,
}

/// Everything that is wrong.
pub(super) type Findings = Vec<Finding>;

impl<'n> At<'n> {
    /// A file's document.
    pub(super) fn root(source: &'n Source) -> Self {
        Self {
            source,
            node: &source.document,
            path: "$".to_owned(),
        }
    }

    /// What is wrong here.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Finding {
        self.source.finding(PolicyError {
            path: self.path.clone(),
            message: message.into(),
        })
    }

    /// The members of an object; those that are null are as if they were not there.
    pub(super) fn members(&self, findings: &mut Findings) -> Vec<(&'n str, Self)> {
        let Kind::Object(members) = &self.node.kind else {
            findings.push(self.wrong("expected an object"));
            return Vec::new();
        };
        let is_there = |member: &&Member| !member.value.is_null();
        let all = members.iter().filter(is_there).map(|member| {
            let at = Self {
                source: self.source,
                node: &member.value,
                path: member_path(&self.path, &member.key),
            };
            (&*member.key, at)
        });
        all.collect()
    }

    /// The members of an object that can have only these keys; `why` says it of others.
    pub(super) fn known_members(
        &self,
        keys: &[&str],
        why: &str,
        findings: &mut Findings,
    ) -> Vec<(&'n str, Self)> {
        let mut all = self.members(findings);
        all.retain(|(key, at)| {
            let is_known = keys.contains(key);
            if !is_known {
                let hint = did_you_mean(key, keys.iter().copied());
                findings.push(at.wrong(format!("the key {key:?}: {why}{hint}")));
            }
            is_known
        });
        all
    }

    /// The elements of a list.
    pub(super) fn elements(&self, findings: &mut Findings) -> Vec<Self> {
        let Kind::List(list) = &self.node.kind else {
            findings.push(self.wrong("expected a list"));
            return Vec::new();
        };
        let all = list.iter().enumerate().map(|(i, node)| Self {
            source: self.source,
            node,
            path: format!("{}[{i}]", self.path),
        });
        all.collect()
    }

    /// The elements of a list of strings.
    pub(super) fn texts(&self, findings: &mut Findings) -> Vec<(&'n str, Self)> {
        let elements = self.elements(findings);
        let text = |at: Self| match at.node.text() {
            Some(text) => Some((text, at)),
            None => {
                findings.push(at.wrong("expected a string; quote it"));
                None
            }
        };
        elements.into_iter().filter_map(text).collect()
    }
}

/// The member of that name.
pub(super) fn find<'m, 'n>(members: &'m [(&str, At<'n>)], key: &str) -> Option<&'m At<'n>> {
    let found = members.iter().find(|(known, _)| *known == key);
    found.map(|(_, at)| at)
}
