//! Patterns by path element, so that a lookup costs the path's elements and not the patterns.

use std::hash::{BuildHasher, BuildHasherDefault, Hash};
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::Meaning;
use super::glob::Glob;
use modgate_go::gomod::path::first_element;

/// A rank that no pattern has.
pub(super) const NONE: u32 = u32::MAX;

/// Tells of a rank whether it counts.
pub(super) type Admits<'a> = &'a mut dyn FnMut(u32) -> bool;

const ROOT: usize = 0;

/// A tree of path elements. Patterns are ranked; a lookup gives the lowest rank that matches.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The patterns; once finished by node and ascending rank.
    terms: Vec<Term>,
    /// All elements and literal prefixes, one behind the other.
    text: String,
    /// The nodes under a literal element, by parent and element.
    children: HashTable<u32>,
    groups: Vec<GlobGroup>,
    /// The groups, by parent and literal prefix.
    group_index: HashTable<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    parent: u32,
    element: Range<u32>,
    /// The patterns that end here, among the terms.
    here: Range<u32>,
    /// The lowest rank of all patterns that end here or below.
    lowest: u32,
    /// The lowest rank of the allowing patterns that end below.
    allow_below: u32,
    /// The node under `*`, which stands apart because it is common and needs no match.
    any: Option<u32>,
    /// The lengths of the literal prefixes of the globs under this node, each once.
    glob_prefixes: Vec<u32>,
}

/// The end of a pattern.
#[derive(Clone, Copy, Debug)]
struct Term {
    node: u32,
    rank: u32,
    allows: bool,
    /// Whether nothing below is matched.
    exact: bool,
}

/// The globs under one node that begin with the same literal.
#[derive(Clone, Debug)]
struct GlobGroup {
    parent: u32,
    prefix: Range<u32>,
    members: Vec<(Glob, u32)>,
}

/// One element of a pattern.
pub(super) enum Element<'p> {
    Literal(&'p str),
    Glob(Glob),
}

impl Trie {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(0, 0..0)],
            terms: Vec::new(),
            text: String::new(),
            children: HashTable::new(),
            groups: Vec::new(),
            group_index: HashTable::new(),
        }
    }

    /// Adds a pattern. Ranks may come in any order; [`Trie::finish`] must be called at the end.
    pub(super) fn insert<'p>(
        &mut self,
        elements: impl Iterator<Item = Element<'p>>,
        rank: u32,
        meaning: Meaning,
    ) {
        let mut node = ROOT as u32;
        for element in elements {
            node = match element {
                Element::Literal(text) => self.literal_child(node, text),
                Element::Glob(glob) if glob.is_any() => self.any_child(node),
                Element::Glob(glob) => self.glob_child(node, glob),
            };
        }
        self.terms.push(Term {
            node,
            rank,
            allows: meaning.allows,
            exact: meaning.exact,
        });
    }

    /// Whether there is no pattern.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Sums up what lies below each node. Children stand behind their parents. Nothing comes in any more,
    /// so the room that was left for more is given back: in a wasm's memory it would stay for ever.
    pub(super) fn finish(&mut self) {
        self.nodes.shrink_to_fit();
        self.terms.shrink_to_fit();
        self.text.shrink_to_fit();
        self.groups.shrink_to_fit();
        self.terms
            .sort_unstable_by_key(|term| (term.node, term.rank));
        for (i, term) in self.terms.iter().enumerate() {
            if let Some(node) = self.nodes.get_mut(term.node as usize) {
                if node.here.is_empty() {
                    node.here.start = i as u32;
                    node.lowest = term.rank;
                }
                node.here.end = i as u32 + 1;
            }
        }
        for i in (1..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(i) else {
                continue;
            };
            let (parent, lowest) = (node.parent as usize, node.lowest);
            let allow_here = self.terms_of(node).iter().find(|term| term.allows);
            let allow = allow_here.map_or(node.allow_below, |term| term.rank.min(node.allow_below));
            if let Some(parent) = self.nodes.get_mut(parent) {
                parent.lowest = parent.lowest.min(lowest);
                parent.allow_below = parent.allow_below.min(allow);
            }
        }
    }

    /// The lowest rank below `limit` that counts, of a pattern that matches the path or, unless it is
    /// exact, a prefix of it that ends at an element; `limit` where there is none.
    pub(super) fn lowest_match(&self, path: &str, limit: u32, admits: Admits<'_>) -> u32 {
        let mut best = limit;
        self.walk(ROOT, Some(path), &mut best, admits);
        best
    }

    /// The lowest rank of an allowing pattern that matches only paths strictly below this one.
    pub(super) fn lowest_allow_below(&self, path: &str) -> u32 {
        let mut best = NONE;
        self.walk_below(ROOT, Some(path), &mut best);
        best
    }

    fn walk(&self, node: usize, rest: Option<&str>, best: &mut u32, admits: Admits<'_>) {
        let Some(here) = self.nodes.get(node).filter(|n| n.lowest < *best) else {
            return;
        };
        for term in self.terms_of(here) {
            if term.rank >= *best {
                break;
            }
            let reaches = rest.is_none() || !term.exact;
            if reaches && admits(term.rank) {
                *best = term.rank;
                break;
            }
        }
        let Some((element, rest)) = rest.map(first_element) else {
            return;
        };
        self.each_child(node, here, element, &mut |child| {
            self.walk(child, rest, best, admits)
        });
    }

    fn walk_below(&self, node: usize, rest: Option<&str>, best: &mut u32) {
        let Some(here) = self.nodes.get(node).filter(|n| n.allow_below < *best) else {
            return;
        };
        let Some((element, rest)) = rest.map(first_element) else {
            *best = here.allow_below;
            return;
        };
        self.each_child(node, here, element, &mut |child| {
            self.walk_below(child, rest, best)
        });
    }

    fn terms_of(&self, node: &Node) -> &[Term] {
        let here = node.here.start as usize..node.here.end as usize;
        self.terms.get(here).unwrap_or_default()
    }

    /// Calls `visit` with each child of the node whose element matches.
    fn each_child(&self, id: usize, node: &Node, element: &str, visit: &mut dyn FnMut(usize)) {
        if let Some(child) = self.find_literal(id as u32, element) {
            visit(child as usize);
        }
        if let Some(any) = node.any {
            visit(any as usize);
        }
        for &length in &node.glob_prefixes {
            let Some(prefix) = element.get(..length as usize) else {
                continue;
            };
            let Some(group) = self.find_group(id as u32, prefix) else {
                continue;
            };
            for (glob, child) in &group.members {
                if glob.matches(element) {
                    visit(*child as usize);
                }
            }
        }
    }

    fn find_literal(&self, parent: u32, element: &str) -> Option<u32> {
        let found = self.children.find(hash(parent, element), |&id| {
            self.nodes
                .get(id as usize)
                .is_some_and(|node| node.parent == parent && self.text_at(&node.element) == element)
        });
        found.copied()
    }

    fn find_group_id(&self, parent: u32, prefix: &str) -> Option<u32> {
        let found = self.group_index.find(hash(parent, prefix), |&id| {
            self.groups.get(id as usize).is_some_and(|group| {
                group.parent == parent && self.text_at(&group.prefix) == prefix
            })
        });
        found.copied()
    }

    fn find_group(&self, parent: u32, prefix: &str) -> Option<&GlobGroup> {
        self.groups
            .get(self.find_group_id(parent, prefix)? as usize)
    }

    fn text_at(&self, range: &Range<u32>) -> &str {
        self.text
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    fn literal_child(&mut self, parent: u32, element: &str) -> u32 {
        if let Some(child) = self.find_literal(parent, element) {
            return child;
        }
        let range = self.keep(element);
        let child = self.push_node(parent, range);
        let (nodes, text) = (&self.nodes, &self.text);
        self.children
            .insert_unique(hash(parent, element), child, |&id| {
                nodes.get(id as usize).map_or(0, |node| {
                    let range = node.element.start as usize..node.element.end as usize;
                    hash(node.parent, text.get(range).unwrap_or_default())
                })
            });
        child
    }

    fn any_child(&mut self, parent: u32) -> u32 {
        if let Some(any) = self.nodes.get(parent as usize).and_then(|node| node.any) {
            return any;
        }
        let child = self.push_node(parent, 0..0);
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            node.any = Some(child);
        }
        child
    }

    fn glob_child(&mut self, parent: u32, glob: Glob) -> u32 {
        let group = self.group(parent, &glob.prefix);
        let known = self.groups.get(group as usize).and_then(|group| {
            let same = group.members.iter().find(|(known, _)| *known == glob);
            same.map(|(_, child)| *child)
        });
        if let Some(child) = known {
            return child;
        }
        let child = self.push_node(parent, 0..0);
        if let Some(group) = self.groups.get_mut(group as usize) {
            group.members.push((glob, child));
        }
        child
    }

    /// The group of globs with this literal prefix under the node, made where it is not there.
    fn group(&mut self, parent: u32, prefix: &str) -> u32 {
        if let Some(id) = self.find_group_id(parent, prefix) {
            return id;
        }
        let id = self.groups.len() as u32;
        let range = self.keep(prefix);
        self.groups.push(GlobGroup {
            parent,
            prefix: range,
            members: Vec::new(),
        });
        let (groups, text) = (&self.groups, &self.text);
        self.group_index
            .insert_unique(hash(parent, prefix), id, |&id| {
                groups.get(id as usize).map_or(0, |group| {
                    let range = group.prefix.start as usize..group.prefix.end as usize;
                    hash(group.parent, text.get(range).unwrap_or_default())
                })
            });
        let length = prefix.len() as u32;
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            if !node.glob_prefixes.contains(&length) {
                node.glob_prefixes.push(length);
            }
        }
        id
    }

    fn keep(&mut self, text: &str) -> Range<u32> {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        start..self.text.len() as u32
    }

    fn push_node(&mut self, parent: u32, element: Range<u32>) -> u32 {
        self.nodes.push(Node::new(parent, element));
        (self.nodes.len() - 1) as u32
    }
}

impl Node {
    fn new(parent: u32, element: Range<u32>) -> Self {
        Self {
            parent,
            element,
            here: 0..0,
            lowest: NONE,
            allow_below: NONE,
            any: None,
            glob_prefixes: Vec::new(),
        }
    }
}

/// The table's keys come from the policy, so no client can choose them to collide.
fn hash(parent: u32, element: &str) -> u64 {
    let hasher = BuildHasherDefault::<FxHasher>::default();
    hasher.hash_one(Key(parent, element))
}

struct Key<'a>(u32, &'a str);

impl Hash for Key<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u32(self.0);
        state.write(self.1.as_bytes());
    }
}
