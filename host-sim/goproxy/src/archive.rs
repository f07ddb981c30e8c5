//! Module zips in the one layout that Go reads: every file under `path@version/`, no folders.

use super::Error;
use super::module::Module;
use std::io::Write as _;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// The module's zip, see <https://go.dev/ref/mod#zip-files>.
///
/// Written as the Go command and the public proxies write it, as a stream: sizes and checksums
/// follow each file's data in a descriptor. Names are unescaped and sorted, times are the zip
/// format's zero, so the same module always gives the same bytes.
pub(super) fn zip(module: &Module) -> Result<Vec<u8>, Error> {
    let root = format!("{}@{}", module.path(), module.version());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let write = || {
        let mut writer = ZipWriter::new_stream(Vec::new());
        for (name, content) in module.contents() {
            writer.start_file(format!("{root}/{name}"), options)?;
            writer.write_all(&content)?;
        }
        Ok(writer.finish()?.into_inner())
    };
    write().map_err(|source| Error::Archive {
        module: root.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read as _};

    #[test]
    fn the_zip_has_the_layout_that_go_wants() {
        let module = Module::new("Corp.example/Lib", "v1.2.0")
            .file("lib.go", "package lib\n")
            .file("inner/inner.go", "package inner\n");
        let bytes = zip(&module).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let names: Vec<_> = archive.file_names().map(Result::unwrap).collect();
        assert_eq!(
            names,
            [
                "Corp.example/Lib@v1.2.0/go.mod",
                "Corp.example/Lib@v1.2.0/inner/inner.go",
                "Corp.example/Lib@v1.2.0/lib.go",
            ]
        );
        let mut text = String::new();
        let name = "Corp.example/Lib@v1.2.0/inner/inner.go";
        archive
            .by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "package inner\n");
    }

    #[test]
    fn entries_are_streamed_with_descriptors_and_without_a_time() {
        let bytes = zip(&Module::new("a.example/b", "v1.0.0")).unwrap();
        let flags = u16::from_le_bytes([bytes[6], bytes[7]]);
        assert_eq!(flags & 0x8, 0x8, "bit 3: sizes come after the data");
        assert_eq!(bytes[10..14], [0, 0, 0x21, 0], "1980-01-01 00:00");
    }

    #[test]
    fn the_same_module_gives_the_same_bytes() {
        let module = Module::new("a.example/b", "v1.0.0").file("b.go", "package b\n");
        assert_eq!(zip(&module).unwrap(), zip(&module.clone()).unwrap());
    }
}
