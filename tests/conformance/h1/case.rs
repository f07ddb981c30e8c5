//! One zip, and what must become of it.

use modgate_go::gomod::ModuleVersion;
use modgate_go::zip::{ZipError, ZipFault, ZipHasher, ZipSummary};
use modgate_harness::forge::{Forge, MODULE, Style, VERSION};

/// A zip and the verdict on it.
#[derive(Clone, Debug)]
pub struct Case {
    pub what: &'static str,
    pub bytes: Vec<u8>,
    pub expect: Expect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Taken, with the hash that Go computes.
    Pass,
    /// Refused for this reason, whatever Go does.
    Refuse(ZipFault),
}

/// A change to the sample as Go would write it, after which it must be refused.
pub fn streamed(what: &'static str, fault: ZipFault, change: impl FnOnce(&mut Forge)) -> Case {
    changed(Style::Streamed, what, Expect::Refuse(fault), change)
}

/// The same with sizes in the entries' headers.
pub fn deflated(what: &'static str, fault: ZipFault, change: impl FnOnce(&mut Forge)) -> Case {
    changed(Style::Deflated, what, Expect::Refuse(fault), change)
}

/// The same without compression.
pub fn stored(what: &'static str, fault: ZipFault, change: impl FnOnce(&mut Forge)) -> Case {
    changed(Style::Stored, what, Expect::Refuse(fault), change)
}

/// A change to the sample that changes nothing of what is in it.
pub fn passes(what: &'static str, style: Style, change: impl FnOnce(&mut Forge)) -> Case {
    changed(style, what, Expect::Pass, change)
}

fn changed(
    style: Style,
    what: &'static str,
    expect: Expect,
    change: impl FnOnce(&mut Forge),
) -> Case {
    let mut forge = Forge::sample(style);
    change(&mut forge);
    Case {
        what,
        bytes: forge.bytes(),
        expect,
    }
}

/// The module that forged zips are of.
pub fn forged_module() -> ModuleVersion {
    ModuleVersion::new(MODULE, VERSION).unwrap()
}

/// The engine's verdict on a zip that comes in these chunks.
pub fn hash_chunks<'a>(
    module: &ModuleVersion,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<ZipSummary, ZipError> {
    let mut hasher = ZipHasher::of(module.clone());
    for chunk in chunks {
        hasher.feed(chunk)?;
    }
    hasher.finish()
}

/// The engine's verdict on a zip as a proxy would get it, a buffer at a time.
pub fn hash(module: &ModuleVersion, bytes: &[u8]) -> Result<ZipSummary, ZipError> {
    hash_chunks(module, bytes.chunks(16 << 10))
}
