//! Names that no module's zip has.

use modgate_go::gomod::NameError::{DotElement, EmptyElement, FileCharacter, WindowsName};
use modgate_go::zip::ZipFault;
use modgate_go::zip::ZipFault::{
    CaseCollision, Duplicate, FileAndFolder, GoModCase, Name, NameEncoding, NameTooLong,
    NestedGoMod, OtherModule,
};
use modgate_harness::forge::{Style, name};

use crate::h1::case::{Case, streamed};

/// A file of this name more.
fn with(what: &'static str, fault: ZipFault, name: &[u8]) -> Case {
    streamed(what, fault, |zip| {
        zip.add(name, b"", Style::Stored);
    })
}

pub fn cases() -> Vec<Case> {
    let module = |path: &str| name(path);
    vec![
        with("no name", OtherModule, b""),
        with("a file beside the module", OtherModule, b"a.go"),
        with(
            "a file of another module",
            OtherModule,
            b"example.com/n@v1.0.0/a.go",
        ),
        with(
            "a file of another version",
            OtherModule,
            b"example.com/m@v1.0.1/a.go",
        ),
        with(
            "a file of a nested module",
            OtherModule,
            b"example.com/m/v2@v1.0.0/a.go",
        ),
        with(
            "the module in upper case",
            OtherModule,
            b"example.com/M@v1.0.0/x.go",
        ),
        with(
            "the escaped module",
            OtherModule,
            b"example.com/!m@v1.0.0/x.go",
        ),
        with("an absolute name", OtherModule, b"/etc/passwd"),
        with("a way up", Name(DotElement), &module("../../etc/passwd")),
        with("a way to where it is", Name(DotElement), &module("./x.go")),
        with("two slashes", Name(EmptyElement), &module("inner//x.go")),
        with(
            "an element that ends in a dot",
            Name(DotElement),
            &module("x./y"),
        ),
        with("a backslash", Name(FileCharacter), &module("inner\\x.go")),
        with("a colon", Name(FileCharacter), &module("c:x.go")),
        with("a line feed", Name(FileCharacter), &module("x\ny.go")),
        with("a NUL", Name(FileCharacter), &module("a.go\0.txt")),
        with(
            "a mark that turns the writing round",
            Name(FileCharacter),
            &module("x\u{202e}og.a"),
        ),
        with(
            "an accent of its own",
            Name(FileCharacter),
            &module("e\u{301}.go"),
        ),
        with("a device of Windows", Name(WindowsName), &module("aux.go")),
        with(
            "no UTF-8",
            NameEncoding,
            &[name("x").as_slice(), b"\xff"].concat(),
        ),
        with(
            "an overlong slash",
            NameEncoding,
            &[name("..").as_slice(), b"\xc0\xafx"].concat(),
        ),
        with(
            "4097 bytes",
            NameTooLong,
            &module(&"d".repeat(4097 - name("").len())),
        ),
        with(
            "two names but for their case",
            CaseCollision,
            &module("A.go"),
        ),
        with(
            "two folders but for their case",
            CaseCollision,
            &module("Inner/x.go"),
        ),
        with("a file and a folder", FileAndFolder, &module("inner")),
        with("a folder and a file", FileAndFolder, &module("a.go/x")),
        streamed("the sign of Kelvin and a k", CaseCollision, |zip| {
            zip.add(&module("\u{212a}"), b"", Style::Stored);
            zip.add(&module("k"), b"", Style::Stored);
        }),
        streamed("a final sigma and another", CaseCollision, |zip| {
            zip.add(&module("\u{3c2}/a"), b"", Style::Stored);
            zip.add(&module("\u{3a3}/b"), b"", Style::Stored);
        }),
        streamed(
            "two files of one name, offsets and all else honest",
            Duplicate,
            |zip| {
                zip.add(&module("x"), b"first", Style::Stored);
                let first = zip.directory[5].offset;
                zip.add(&module("x"), b"second", Style::Stored);
                zip.directory[5].offset = first;
            },
        ),
        streamed("two files of one name and one content", Duplicate, |zip| {
            zip.add(&module("x"), b"same", Style::Stored);
            let first = zip.directory[5].offset;
            zip.add(&module("x"), b"same", Style::Stored);
            zip.directory[5].offset = first;
        }),
        with(
            "a go.mod below the root",
            NestedGoMod,
            &module("inner/go.mod"),
        ),
        with(
            "a go.mod below the root, in capitals",
            NestedGoMod,
            &module("inner/GO.MOD"),
        ),
        streamed("a go.mod in capitals", GoModCase, |zip| {
            zip.entries[0].local.name = module("Go.mod");
            zip.directory[0].name = module("Go.mod");
        }),
    ]
}
