//! What is written: files in a folder, or one stream of objects.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

/// The files of a deployment by their names, in the order in which they are to be applied.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// They hold the route key, so only their owner reads them.
    objects: Vec<(String, String)>,
    /// What kubectl does not apply.
    others: Vec<(String, String)>,
    /// What a person must know or do beside applying them.
    notes: Vec<String>,
}

/// Who may read a file, before the umask.
pub(super) const OWNER: u32 = 0o600;
const ALL: u32 = 0o644;

impl Files {
    /// Adds a file of objects, with a sentence about it at its head; nothing where there are no objects.
    ///
    /// # Errors
    /// None that is known: the objects are made of texts, numbers and a policy.
    pub(super) fn objects(
        &mut self,
        name: &str,
        about: &str,
        objects: &[Value],
    ) -> Result<(), String> {
        if objects.is_empty() {
            return Ok(());
        }
        let text = format!("{}{}", comment(about), documents(objects)?);
        self.objects.push((name.to_owned(), text));
        Ok(())
    }

    /// Adds a file of objects that is not to be applied with the others.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub(super) fn objects_aside(
        &mut self,
        name: &str,
        about: &str,
        objects: &[Value],
    ) -> Result<(), String> {
        self.file(name, about, &documents(objects)?);
        Ok(())
    }

    /// Adds a file that is no object.
    pub(super) fn file(&mut self, name: &str, about: &str, text: &str) {
        self.others
            .push((name.to_owned(), format!("{}{text}", comment(about))));
    }

    /// Adds a sentence for the person who applies the files.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// What a person must know or do beside applying them.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The objects as one stream of documents.
    pub(super) fn stream(&self) -> String {
        let texts: Vec<&str> = self.objects.iter().map(|(_, text)| text.as_str()).collect();
        texts.join("---\n")
    }

    /// Writes every file, each whole or not at all. Files of before that are not among them stay, as they may be
    /// somebody's own.
    ///
    /// # Errors
    /// What keeps one from being written, with its name.
    pub(super) fn write(&self, folder: &Path) -> Result<Vec<String>, String> {
        let mut written = Vec::new();
        for (files, mode) in [(&self.objects, OWNER), (&self.others, ALL)] {
            for (name, text) in files {
                let file = folder.join(name);
                write_whole(&file, text, mode)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
                written.push(file.display().to_string());
            }
        }
        Ok(written)
    }
}

/// The objects as documents of one stream.
fn documents(objects: &[Value]) -> Result<String, String> {
    let documents: Result<Vec<String>, _> = objects.iter().map(plain_yaml::to_string).collect();
    documents
        .map(|documents| documents.join("---\n"))
        .map_err(|error| error.to_string())
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// Writes a file whole or not at all, and makes the folders that it is in.
///
/// # Errors
/// What keeps it from being written.
pub(super) fn write_whole(file: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut new = tempfile::Builder::new();
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut new = new.tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.persist(file)?;
    Ok(())
}
