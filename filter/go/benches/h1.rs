//! The hash of a module's zip as it streams, against Go's own `dirhash` in the same run.
//!
//! `cargo bench -p modgate-engine --bench h1`; `MODGATE_BENCH_ZIP` names a real zip to take instead
//! of the one made here, `MODGATE_GO_DIRHASH` the built program `tests/go/dirhash` to compare with.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at whatever is wrong"
)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, Throughput};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use modgate_go::zip::{ZipHasher, ZipSummary};

/// What Envoy hands to a filter at a time, with the buffer limit that is shipped.
const CHUNK: usize = 16 << 10;

fn hash(zip: &[u8]) -> ZipSummary {
    let mut hasher = ZipHasher::of_any_module();
    for chunk in zip.chunks(CHUNK) {
        hasher.feed(chunk).expect("the zip is taken");
    }
    hasher.finish().expect("the zip is taken")
}

/// A module of source-like text: 400 files of 1 to 60 KB, as Go writes them.
fn made() -> Vec<u8> {
    let words = [
        "func", "return", "err", "nil", "if", "string", "package", "ctx", "range", "[]byte",
    ];
    let mut state = 1_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for n in 0..400_u32 {
        let name = format!("example.com/bench@v1.0.0/dir{}/file{n}.go", n % 20);
        let mut text = String::new();
        while text.len() < 1000 + (n as usize * 149) {
            let word = words[random(10) as usize];
            text.push_str(word);
            text.push_str(match random(6) {
                0 => "\n\t",
                1 => "(x)",
                _ => " ",
            });
            if random(4) == 0 {
                text.push_str(&random(1 << 20).to_string());
            }
        }
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder
            .write_all(text.as_bytes())
            .expect("memory takes all");
        let data = encoder.finish().expect("memory takes all");
        let sizes: Vec<u8> = [crc.sum(), data.len() as u32, text.len() as u32]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        let name_len = (name.len() as u16).to_le_bytes();
        let at = (zip.len() as u32).to_le_bytes();
        let head = [20, 0, 8, 0, 8, 0, 0, 0, 0, 0];
        zip.extend(
            [
                b"PK\x03\x04".as_slice(),
                &head,
                &[0; 12],
                &name_len,
                &[0; 2],
            ]
            .concat(),
        );
        zip.extend([name.as_bytes(), &data, b"PK\x07\x08", &sizes].concat());
        directory.extend([b"PK\x01\x02\x14\x00".as_slice(), &head, &sizes, &name_len].concat());
        directory.extend([[0; 12].as_slice(), &at, name.as_bytes()].concat());
    }
    let end = [directory.len() as u32, zip.len() as u32];
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0\x90\x01\x90\x01");
    zip.extend(end.into_iter().flat_map(u32::to_le_bytes));
    zip.extend([0, 0]);
    zip
}

fn benches(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("modgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let file = match std::env::var_os("MODGATE_BENCH_ZIP") {
        Some(file) => PathBuf::from(file),
        None => {
            let file = folder.join("made.zip");
            std::fs::write(&file, made()).expect("the zip can be written");
            file
        }
    };
    let zip = std::fs::read(&file).expect("the zip can be read");
    let summary = hash(&zip);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{}: {} files, {} bytes, {} inflated",
        file.display(),
        summary.files,
        summary.zip_bytes,
        summary.content_bytes
    );
    for (unit, bytes) in [
        ("raw", summary.content_bytes),
        ("compressed", summary.zip_bytes),
    ] {
        let mut group = criterion.benchmark_group(format!("h1 {unit} {name}"));
        group.throughput(Throughput::Bytes(bytes)).sample_size(20);
        group.bench_function("engine", |bencher| bencher.iter(|| hash(black_box(&zip))));
        if let Some(program) = std::env::var_os("MODGATE_GO_DIRHASH") {
            group.bench_function("dirhash", |bencher| {
                bencher.iter_custom(|times| go(Path::new(&program), &file, times));
            });
        }
        group.finish();
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// How long Go takes to hash the zip so many times, by its own clock.
fn go(program: &Path, zip: &Path, times: u64) -> Duration {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Go program starts");
    let mut questions = child.stdin.take().expect("it is piped");
    writeln!(
        questions,
        r#"{{"Kind": "bench", "File": {zip:?}, "Times": {times}}}"#
    )
    .expect("the Go program reads");
    drop(questions);
    let mut answer = String::new();
    BufReader::new(child.stdout.take().expect("it is piped"))
        .read_line(&mut answer)
        .expect("the Go program answers");
    child.wait().expect("the Go program ends");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("it answers in JSON");
    Duration::from_nanos(
        answer["Nanoseconds"]
            .as_u64()
            .expect("it answers with a time"),
    )
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}
