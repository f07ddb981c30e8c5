//! Real modules.

use modgate_go::gomod::ModuleVersion;
use modgate_go::integrity::GoModHasher;
use modgate_harness::dirhash::Dirhash;
use modgate_harness::module_zips::real_module_zips;

use crate::h1::case::hash;

#[test]
fn every_real_module_has_the_hash_that_go_computes() {
    let modules = real_module_zips();
    assert!(modules.len() >= 30, "only {} modules", modules.len());
    let mut go = Dirhash::start();
    let (mut zip_bytes, mut content_bytes, mut files) = (0, 0, 0);
    for module in &modules {
        let named = ModuleVersion::new(&module.path, &module.version).unwrap();
        let bytes = std::fs::read(&module.zip).unwrap();
        let evaluated = go.zip_file(&module.zip, &module.path, &module.version);
        assert_eq!(evaluated.check, Ok(()), "{named}");

        let summary = hash(&named, &bytes).unwrap_or_else(|error| panic!("{named}: {error}"));
        assert_eq!(evaluated.h1, Ok(summary.h1.to_string()), "{named}");
        assert_eq!(module.sum, summary.h1.to_string(), "{named}");

        let mut go_mod = GoModHasher::default();
        go_mod
            .feed(&std::fs::read(&module.go_mod).unwrap())
            .unwrap();
        let h1 = go_mod.finish().unwrap().to_string();
        assert_eq!(h1, go.go_mod(&module.go_mod), "{named}/go.mod");
        assert_eq!(h1, module.go_mod_sum, "{named}/go.mod");

        zip_bytes += summary.zip_bytes;
        content_bytes += summary.content_bytes;
        files += summary.files;
    }
    println!(
        "{} modules, {files} files, {} MB of zips, {} MB inflated: all as Go has it",
        modules.len(),
        zip_bytes / 1_000_000,
        content_bytes / 1_000_000
    );
}
