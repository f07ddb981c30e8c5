//! What is reported for each file, and of all of them.

use std::error::Error;
use std::io;

use envoy_wasm_scenario::shown;
use modgate_go::gomod::{Artifact, GoSum, GoSumLine, H1};

use super::hash::Hashed;
use super::inputs::Input;
use crate::out;
use envoy_wasm_host::files;

/// The most bytes of a `.ziphash`, which has one hash.
const ZIPHASH_LIMIT: u64 = 1 << 20;

/// Counts, and the go.sum to compare with.
#[derive(Debug)]
pub(super) struct Report {
    sums: Option<GoSum>,
    agree: u32,
    not_listed: u32,
    differ: u32,
    failed: u32,
    files: u32,
}

impl Report {
    pub(super) const fn new(sums: Option<GoSum>) -> Self {
        Self {
            sums,
            agree: 0,
            not_listed: 0,
            differ: 0,
            failed: 0,
            files: 0,
        }
    }

    /// A file without a hash.
    pub(super) fn failed(&mut self, label: &str, why: &str) {
        self.failed += 1;
        self.files += 1;
        // A reason may repeat a name of the zip.
        let why = shown(why, usize::MAX);
        out::note(format_args!("error: {label}: {why}"));
    }

    /// A file's hash, or why it has none: prints it and compares it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn add(&mut self, input: &Input, hashed: Result<Hashed, String>) -> io::Result<()> {
        let label = input.label();
        let hashed = match hashed {
            Ok(hashed) => hashed,
            Err(why) => {
                self.failed(&label, &why);
                return Ok(());
            }
        };
        self.files += 1;
        let mut differs = false;
        if hashed.artifact == Artifact::Zip {
            differs |= self.differs_from_ziphash(input, &label, hashed.h1);
        }
        let (line, by_sum) = match hashed.module {
            Some(module) => {
                let line = GoSumLine {
                    module,
                    artifact: hashed.artifact,
                    h1: hashed.h1,
                };
                let by_sum = self.differs_from_sum(&label, &line);
                (line.to_string(), by_sum)
            }
            None => {
                self.not_listed += u32::from(self.sums.is_some());
                (format!("{}  {label}", hashed.h1), false)
            }
        };
        self.differ += u32::from(differs | by_sum);
        out::print(&format!("{line}\n"))
    }

    fn differs_from_sum(&mut self, label: &str, line: &GoSumLine) -> bool {
        let Some(sums) = &self.sums else {
            return false;
        };
        match sums.get(&line.module, line.artifact) {
            None => self.not_listed += 1,
            Some(known) if known == line.h1 => self.agree += 1,
            Some(known) => {
                out::note(format_args!(
                    "error: {label}: its hash is {}, but go.sum has {known}",
                    line.h1
                ));
                return true;
            }
        }
        false
    }

    fn differs_from_ziphash(&mut self, input: &Input, label: &str, h1: H1) -> bool {
        let Some(text) = input
            .ziphash()
            .and_then(|file| files::regular(&file, ZIPHASH_LIMIT).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            return false;
        };
        let same = text.trim_end().parse() == Ok(h1);
        if !same {
            let known = shown(text.trim_end(), usize::MAX);
            out::note(format_args!(
                "error: {label}: its hash is {h1}, but its .ziphash has {known}"
            ));
        }
        !same
    }

    /// The sum of it all.
    ///
    /// # Errors
    /// One sentence, where a file was refused or differs, or where nothing was compared.
    pub(super) fn finish(self) -> Result<(), Box<dyn Error>> {
        let Self {
            agree,
            not_listed,
            differ,
            failed,
            files,
            ..
        } = self;
        if self.sums.is_some() {
            out::note(format_args!(
                "{agree} match go.sum, {differ} differ, {not_listed} not in go.sum"
            ));
        }
        if differ + failed > 0 {
            let wrong = differ + failed;
            return Err(format!("{wrong} of {files} files differ or have no hash").into());
        }
        if self.sums.is_some() && agree == 0 {
            return Err("nothing was compared: go.sum has none of these files".into());
        }
        Ok(())
    }
}
