//! Files that Envoy reads again when they change.

use std::path::Path;

use serde_json::Value;

use super::at::At;
use super::notes::Notes;

/// Looks at everything that is read from a path, wherever it stands.
pub(super) fn check(at: &At<'_>, notes: &mut Notes) {
    if let Some(source) = at.get("path_config_source") {
        watched(&source, notes);
    } else if let Some(path) = at.get("path").filter(|_| is_config_source(at)) {
        notes.warning(&path, "changes of a Kubernetes ConfigMap are not noticed, because only a symlink next to the file changes; use path_config_source with a watched_directory");
    }
    match at.value {
        Value::Object(_) => at
            .members()
            .iter()
            .for_each(|(_, member)| check(member, notes)),
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                let element = At {
                    file: at.file,
                    path: format!("{}[{i}]", at.path),
                    value,
                };
                check(&element, notes);
            }
        }
        _ => {}
    }
}

/// The old form, a `path` beside what tells a source of configuration apart.
fn is_config_source(at: &At<'_>) -> bool {
    at.get("resource_api_version").is_some()
}

fn watched(source: &At<'_>, notes: &mut Notes) {
    let Some(path) = source.text("path") else {
        return;
    };
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Some(watched) = source.get("watched_directory") else {
        return notes.warning(
            source,
            format!(
                "changes of a Kubernetes ConfigMap are not noticed, because only a symlink next to the file changes; add watched_directory: {{path: {}}}",
                folder.display()
            ),
        );
    };
    let is_same = |other: &str| Path::new(other).components().eq(folder.components());
    if !watched.text("path").is_some_and(is_same) {
        notes.warning(
            &watched,
            format!(
                "the file is in another folder, where changes are not noticed; write {}",
                folder.display()
            ),
        );
    }
}
