//! The files of a policy in parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::shape::Findings;
use crate::policy_file::Source;
use crate::policy_file::load::Finding;
use crate::policy_file::text;

/// The endings of files that are read.
const ENDINGS: [&str; 3] = ["json", "yaml", "yml"];

/// The files, read.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) base: Source,
    /// By the team's name.
    pub(super) teams: BTreeMap<String, Source>,
}

impl Parts {
    /// Whether a file is one of them, under whichever name.
    pub(super) fn have(&self, file: &Path) -> bool {
        let Ok(file) = file.canonicalize() else {
            return false;
        };
        let parts = std::iter::once(&self.base).chain(self.teams.values());
        let mut places = parts.filter_map(|part| Path::new(&part.file).canonicalize().ok());
        places.any(|place| place == file)
    }
}

/// Reads a folder. What stands in `teams` and is no team's file is an error, because a file that
/// nobody reads may have refused something; only names that begin with a dot are passed over.
///
/// # Errors
/// Everything that is wrong with the files as such.
pub(super) fn read(folder: &Path) -> Result<Parts, Findings> {
    let mut findings = Vec::new();
    let base = base(folder, &mut findings);
    let mut teams = BTreeMap::new();
    let in_teams = files(&folder.join("teams")).unwrap_or_else(|finding| {
        findings.push(finding);
        Vec::new()
    });
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in in_teams {
        let Some(name) = team_of(&file) else {
            let message = "not a team's file; use NAME.json, NAME.yaml or NAME.yml";
            findings.push(of_file(&file, message.to_owned()));
            continue;
        };
        if let Some(first) = files.get(&name) {
            let message = format!(
                "the team {name:?} already has the file {}",
                text::name(first)
            );
            findings.push(of_file(&file, message));
            continue;
        }
        files.insert(name, file);
    }
    for (name, file) in files {
        match Source::read(&file) {
            Ok(source) => {
                teams.insert(name, source);
            }
            Err(more) => findings.extend(more),
        }
    }
    match base {
        Some(base) if findings.is_empty() => Ok(Parts { base, teams }),
        _ => Err(findings),
    }
}

fn base(folder: &Path, findings: &mut Findings) -> Option<Source> {
    let all = ENDINGS.map(|ending| folder.join(format!("base.{ending}")));
    let mut there = all.iter().filter(|file| file.exists());
    let Some(file) = there.next() else {
        let message = "there is no base.json or base.yaml in it".to_owned();
        findings.push(of_file(folder, message));
        return None;
    };
    if let Some(second) = there.next() {
        let message = format!("the base is already in {}", text::name(file));
        findings.push(of_file(second, message));
    }
    let source = Source::read(file);
    source.map_err(|more| findings.extend(more)).ok()
}

/// What a folder has, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Finding> {
    let failed = |error: std::io::Error| of_file(folder, format!("cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn team_of(file: &Path) -> Option<String> {
    let ending = file.extension()?.to_str()?;
    let name = file.file_stem()?.to_str()?;
    (ENDINGS.contains(&ending) && file.is_file()).then(|| name.to_owned())
}

fn of_file(file: &Path, message: String) -> Finding {
    Finding {
        file: text::name(file),
        line: None,
        column: None,
        path: "$".to_owned(),
        message,
    }
}
