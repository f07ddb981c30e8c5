//! Lists in which the first that matches decides: what was added, removed, changed, and moved.

use std::collections::HashMap;

use serde_json::Value;

use super::changes::{Change, Kind, keys};

/// An element with its name.
#[derive(Clone, Debug)]
pub(super) struct Link<'v> {
    name: String,
    value: &'v Value,
}

impl<'v> Link<'v> {
    pub(super) fn of(name: String, value: &'v Value) -> Self {
        Self { name, value }
    }
}

/// What changes from one list to another, in the order of the new one behind what was removed.
pub(super) fn changes(at: &str, old: &[Link<'_>], new: &[Link<'_>]) -> Vec<Change> {
    let places: HashMap<&str, usize> = new.iter().enumerate().map(|(i, l)| (&*l.name, i)).collect();
    let change = |name: &str, kind| Change {
        at: at.to_owned(),
        name: Some(name.to_owned()),
        kind,
    };
    let mut found = Vec::new();
    let mut kept: Vec<Option<usize>> = vec![None; new.len()];
    let mut order = Vec::new();
    for (from, link) in old.iter().enumerate() {
        match places.get(&*link.name) {
            Some(&to) if kept[to].is_none() => {
                kept[to] = Some(from);
                order.push(to);
            }
            _ => {
                let old = link.value.clone();
                found.push(change(&link.name, Kind::Removed { old }));
            }
        }
    }
    let stays = longest_rise(&order);
    for (to, link) in new.iter().enumerate() {
        let Some(from) = kept[to] else {
            let new = link.value.clone();
            found.push(change(&link.name, Kind::Added { new }));
            continue;
        };
        if !stays.contains(&to) {
            let before = to.checked_sub(1).and_then(|place| new.get(place));
            let behind = before.map(|link| link.name.clone());
            found.push(change(&link.name, Kind::Moved { behind }));
        }
        if let (Value::Object(old), Value::Object(new)) = (old[from].value, link.value)
            && old != new
        {
            let keys = keys(old, new);
            found.push(change(&link.name, Kind::Changed { keys }));
        }
    }
    found
}

/// A longest part of a list of different numbers that rises: what of it did not move.
fn longest_rise(list: &[usize]) -> std::collections::HashSet<usize> {
    // By length: the place in the list of the least number that ends a rise of that length.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(list.len());
    for (place, number) in list.iter().enumerate() {
        let length = ends.partition_point(|&end| list[end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(place);
        } else {
            ends[length] = place;
        }
    }
    let mut rise = std::collections::HashSet::new();
    let mut next = ends.last().copied();
    while let Some(place) = next {
        rise.insert(list[place]);
        next = before[place];
    }
    rise
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(old: &[(&str, i32)], new: &[(&str, i32)]) -> Vec<String> {
        let values = |all: &[(&str, i32)]| -> Vec<(String, Value)> {
            let value = |(name, n): &(&str, i32)| ((*name).to_owned(), json!({"n": n}));
            all.iter().map(value).collect()
        };
        let (old, new) = (values(old), values(new));
        let old: Vec<Link> = old.iter().map(|(n, v)| Link::of(n.clone(), v)).collect();
        let new: Vec<Link> = new.iter().map(|(n, v)| Link::of(n.clone(), v)).collect();
        let word = |change: Change| {
            let name = change.name.unwrap();
            match change.kind {
                Kind::Added { .. } => format!("+{name}"),
                Kind::Removed { .. } => format!("-{name}"),
                Kind::Moved { behind } => format!("{}<{name}", behind.unwrap_or_default()),
                Kind::Changed { keys } => format!("{name}:{}", keys[0].key),
            }
        };
        changes("rules", &old, &new).into_iter().map(word).collect()
    }

    #[test]
    fn what_only_makes_room_has_not_moved() {
        let abc = [("a", 1), ("b", 1), ("c", 1)];
        assert_eq!(told(&abc, &abc), [] as [&str; 0]);
        assert_eq!(
            told(&abc, &[("x", 1), ("a", 1), ("b", 1), ("c", 1)]),
            ["+x"]
        );
        assert_eq!(told(&abc, &[("b", 1), ("c", 1)]), ["-a"]);
        assert_eq!(told(&abc, &[("c", 1), ("a", 1), ("b", 1)]), ["<c"]);
        assert_eq!(told(&abc, &[("b", 1), ("c", 1), ("a", 2)]), ["c<a", "a:n"]);
        assert_eq!(told(&abc, &[("c", 1), ("b", 2)]), ["-a", "c<b", "b:n"]);
        assert_eq!(told(&[("a", 1), ("a", 1)], &[("a", 1)]), ["-a"]);
    }
}
