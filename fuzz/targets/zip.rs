//! A module's zip as it streams: the first byte of an input is the size of the chunks that the rest
//! comes in. What is said of it does not hang on the chunks, and less than all of it is never good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_go::zip::{ZipError, ZipHasher, ZipSummary};

fuzz_target!(|input: &[u8]| {
    let Some((&size, zip)) = input.split_first() else {
        return;
    };
    let whole = within(OF_A_REQUEST, || hashed(zip, zip.len().max(1)));
    let in_chunks = within(OF_A_REQUEST, || hashed(zip, usize::from(size.max(1))));
    assert_eq!(whole, in_chunks, "in chunks of {size}");
    if let (Ok(_), Some((_, less))) = (&whole, zip.split_last()) {
        assert!(
            hashed(less, less.len().max(1)).is_err(),
            "good without its end"
        );
    }
});

fn hashed(zip: &[u8], size: usize) -> Result<ZipSummary, ZipError> {
    let mut hasher = ZipHasher::of_any_module();
    for chunk in zip.chunks(size) {
        hasher.feed(chunk)?;
    }
    hasher.finish()
}
