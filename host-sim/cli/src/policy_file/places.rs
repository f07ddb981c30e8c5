//! The JSON paths of a document, written as the engine writes them.

use std::collections::{BTreeMap, HashMap};

use modgate_policy::document::member_path;
use plain_yaml::{Kind, Node, Position};

/// Adds the places of a value and of everything below, by JSON path: of a member that of its key.
pub(super) fn of(node: &Node, path: &str, places: &mut HashMap<String, Position>) {
    places.entry(path.to_owned()).or_insert(node.at);
    match &node.kind {
        Kind::List(list) => {
            for (i, node) in list.iter().enumerate() {
                of(node, &format!("{path}[{i}]"), places);
            }
        }
        Kind::Object(members) => {
            for member in members {
                let path = member_path(path, &member.key);
                places.insert(path.clone(), member.at);
                of(&member.value, &path, places);
            }
        }
        Kind::Plain(..) | Kind::Text(..) => {}
    }
}

/// Adds the keys that stand twice in an object, with their JSON paths; a value cannot show them.
pub(super) fn repeated(node: &Node, path: &str, found: &mut Vec<(String, Position, String)>) {
    match &node.kind {
        Kind::List(list) => {
            for (i, node) in list.iter().enumerate() {
                repeated(node, &format!("{path}[{i}]"), found);
            }
        }
        Kind::Object(members) => {
            let mut seen = BTreeMap::new();
            for member in members {
                let path = member_path(path, &member.key);
                if let Some(first) = seen.insert(&member.key, member.at.line) {
                    let message = format!(
                        "the key {:?} is already defined at line {first}; control planes keep only the last",
                        member.key
                    );
                    found.push((path.clone(), member.at, message));
                }
                repeated(&member.value, &path, found);
            }
        }
        Kind::Plain(..) | Kind::Text(..) => {}
    }
}
