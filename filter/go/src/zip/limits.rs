//! How much is taken: x/mod's limits on module zips, and our own on memory.

/// The largest zip, in bytes (x/mod `zip.MaxZipFile`).
pub const MAX_ZIP_BYTES: u64 = 500 << 20;
/// The most that all files together may inflate to, in bytes (x/mod `zip.MaxZipFile`).
pub const MAX_CONTENT_BYTES: u64 = 500 << 20;
/// The largest `go.mod`, in bytes (x/mod `zip.MaxGoMod`).
pub const MAX_GO_MOD_BYTES: u64 = 16 << 20;
/// The largest `LICENSE` in the module's root, in bytes (x/mod `zip.MaxLICENSE`).
pub const MAX_LICENSE_BYTES: u64 = 16 << 20;

/// The longest name, in bytes: Linux opens no longer path.
pub const MAX_NAME_BYTES: u16 = 4096;
/// The longest extra field of an entry in the central directory, in bytes. A local header's may
/// have any length where it is passed over: where its sizes do not stand in it.
pub const MAX_EXTRA_BYTES: u16 = 4096;
/// The longest comment of an entry in the central directory, in bytes. The whole zip's may be as long
/// as its length field can say, since it is not kept.
pub const MAX_COMMENT_BYTES: u16 = 4096;
/// The most that is remembered of all files together, in bytes as [`INDEX_BYTES_A_FILE`] counts
/// them: room for over 100,000 files with names of ordinary length.
pub const MAX_INDEX_BYTES: usize = 16 << 20;
/// What a file takes up beside its name, in bytes.
pub const INDEX_BYTES_A_FILE: usize = 96;
