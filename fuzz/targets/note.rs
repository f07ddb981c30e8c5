//! What a checksum database signs, and says without signing: an input is a text as far as the first byte
//! 0xff, which is signed, and then what stands behind the signature; and once more the whole of it, which
//! is read as a note, a record, a tree head and a key.
//!
//! Of a note nothing counts but the text that was signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::database::{KEY, module, sign};
use modgate_go::sumdb::{Head, Record, VerifierKey, open};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == 0xff);
    let signed = parts.next().unwrap_or_default();
    let more = parts.next().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(signed) {
        check_signed(text, more);
        check_key(text);
        check_head(text);
    }
    let read = within(OF_A_REQUEST, || open(input, &KEY).map(str::len));
    assert!(read.is_err(), "nobody has signed it");
    check_record(input);
});

fn check_signed(text: &str, more: &[u8]) {
    let note = [sign(text).as_bytes(), more].concat();
    let read = within(OF_A_REQUEST, || open(&note, &KEY).map(ToOwned::to_owned));
    match read {
        Ok(read) => assert_eq!(read, text),
        // A note's text is whole lines, without control characters.
        Err(_) if more.is_empty() => {
            let control = |c: char| c < ' ' && c != '\n';
            assert!(!text.ends_with('\n') || text.contains(control), "{text:?}");
        }
        Err(_) => {}
    }
}

fn check_key(text: &str) {
    if let Ok(key) = within(OF_A_REQUEST, || text.parse::<VerifierKey>()) {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}

fn check_head(text: &str) {
    if let Some(head) = within(OF_A_REQUEST, || Head::parse(text)) {
        let start = format!("go.sum database tree\n{}\n", head.size);
        assert!(text.starts_with(&start), "{text:?}");
    }
}

fn check_record(input: &[u8]) {
    let Ok(record) = within(OF_A_REQUEST, || Record::parse(input)) else {
        return;
    };
    let again = [
        format!("{}\n{}\n", record.id, record.text).as_bytes(),
        record.note,
    ]
    .concat();
    assert_eq!(again, input);
    let wanted = module(1);
    if let Ok(sums) = within(OF_A_REQUEST, || record.sums(&wanted)) {
        let name = format!("{} {}", wanted.path(), wanted.version());
        for line in [
            format!("{name} {}", sums.zip),
            format!("{name}/go.mod {}", sums.go_mod),
        ] {
            assert!(record.text.lines().any(|have| have == line), "{line}");
        }
        let about_it = |line: &str| line.starts_with(&name);
        assert!(record.text.lines().all(about_it), "{:?}", record.text);
    }
}
