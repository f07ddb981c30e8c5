//! A folder as Kubernetes mounts a ConfigMap: the kubelet writes each update into a folder of its own and
//! moves a link onto the one before, so that no file is ever seen half written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A mounted ConfigMap with one key.
#[derive(Debug)]
pub struct ConfigMap {
    dir: TempDir,
    key: String,
    updates: u32,
}

impl ConfigMap {
    /// Mounts one.
    ///
    /// # Panics
    /// Where the folder cannot be written.
    pub fn mount(key: &str, content: &str) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let mut map = Self {
            dir,
            key: key.to_owned(),
            updates: 0,
        };
        map.update(content);
        done(symlink(Path::new("..data").join(key), map.file()));
        map
    }

    /// The file that a program is told of.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join(&self.key)
    }

    /// Changes the content as the kubelet does.
    ///
    /// # Panics
    /// Where the folder cannot be written.
    pub fn update(&mut self, content: &str) {
        let dir = self.dir.path();
        let before = fs::read_link(dir.join("..data")).ok();
        self.updates += 1;
        let now = format!("..2026_11_30_12_00_00.{}", self.updates);
        done(fs::create_dir(dir.join(&now)));
        done(fs::write(dir.join(&now).join(&self.key), content));
        done(symlink(&now, dir.join("..data_tmp")));
        done(fs::rename(dir.join("..data_tmp"), dir.join("..data")));
        if let Some(before) = before {
            done(fs::remove_dir_all(dir.join(before)));
        }
    }
}

fn done(result: std::io::Result<()>) {
    result.unwrap_or_else(|error| panic!("the ConfigMap cannot be written: {error}"));
}
