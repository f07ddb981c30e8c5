//! `modgate pins import`, as a person runs it.

use modgate_harness::modgate::{modgate, stderr, stdout};
use serde_json::{Value, json};

const SUMS: &str = "\
github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=
github.com/pkg/errors v0.9.1/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=
corp.example/lib v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
";

#[test]
fn a_go_sum_becomes_pins_that_a_policy_takes() {
    let output = modgate(["pins", "import", "-"], SUMS.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let pins: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let lines: Vec<&str> = SUMS.lines().collect();
    assert_eq!(pins, json!([lines[2], lines[0], lines[1]]));
    let policy = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "integrity": {"mode": "shadow", "pins": pins},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    let checked = modgate(["check", "-"], policy.to_string().as_bytes());
    assert!(checked.status.success(), "{}", stdout(&checked));

    let own = modgate(
        [
            "pins",
            "import",
            "--modules",
            "corp.example,other.example",
            "-",
        ],
        SUMS.as_bytes(),
    );
    let own: Value = serde_json::from_str(&stdout(&own)).unwrap();
    assert_eq!(own, json!([lines[2]]));
}

#[test]
fn what_is_wrong_is_reported_with_its_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let good = write("good.sum", SUMS);
    let other = write("other.sum", &SUMS.replace("FEBL", "GEBL"));
    let bad = write("bad.sum", &SUMS.replace("v1.0.0 h1", "v1 h1"));
    for (files, modules, said) in [
        (
            vec![&good, &other],
            "*",
            ["github.com/pkg/errors v0.9.1: ", "other.sum has h1:GEBL"],
        ),
        (vec![&bad], "*", ["bad.sum: line 3: ", "version"]),
        (vec![&good], "nowhere.example", ["no line", "requested"]),
        (vec![&good], "corp", ["\"corp\"", "no dot"]),
        (
            vec![&"missing.sum".to_owned()],
            "*",
            ["missing.sum: ", "No such file"],
        ),
    ] {
        let arguments = ["pins", "import", "--modules", modules].into_iter();
        let output = modgate(arguments.chain(files.iter().map(|file| file.as_str())), b"");
        let reported = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{reported}");
        assert!(
            said.iter().all(|part| reported.contains(part)),
            "{reported}"
        );
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn a_go_sum_is_read_in_every_form_that_go_reads() {
    let pins = |text: &[u8]| -> Value {
        let output = modgate(["pins", "import", "-"], text);
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let plain = pins(SUMS.as_bytes());
    let utf16: Vec<u8> = format!("\u{feff}{SUMS}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let dropped =
        "corp.example/old v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n";
    for text in [
        SUMS.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{SUMS}").into_bytes(),
        SUMS.replace(' ', "\t").into_bytes(),
        format!("\n  \n{}", SUMS.replace(' ', "   ")).into_bytes(),
        format!("{dropped}{SUMS}").into_bytes(),
        utf16,
    ] {
        assert_eq!(pins(&text), plain, "{text:?}");
    }
}
