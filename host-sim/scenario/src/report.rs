//! What came of scenarios, for people and for machines.

use std::fmt::Write;

use serde_json::json;

use super::difference::Difference;
use super::run::Run;

/// A scenario that was played, or could not be.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its file.
    pub file: String,
    /// Its name; the file's where it cannot be read.
    pub name: String,
    /// What was seen and what of it is not as expected; or why it was not played.
    pub outcome: Result<(Run, Vec<Difference>), String>,
}

impl Played {
    /// Whether all was as expected.
    pub fn passed(&self) -> bool {
        matches!(&self.outcome, Ok((_, differences)) if differences.is_empty())
    }

    fn timeline(&self) -> String {
        let mut text = String::new();
        let Ok((run, _)) = &self.outcome else {
            return text;
        };
        for line in &run.timeline {
            let ms = line.at.as_micros();
            let (ms, us) = (ms / 1000, ms % 1000);
            // Writing into a String cannot fail.
            _ = writeln!(text, "  {ms:>7}.{us:03} ms  vm {}  {}", line.vm, line.text);
        }
        text
    }
}

/// A line for each scenario, what differs below it, and the timeline where it is wanted.
pub fn text(played: &[Played], trace: bool) -> String {
    let mut text = String::new();
    for one in played {
        let word = if one.passed() { "ok  " } else { "FAIL" };
        _ = writeln!(text, "{word}  {}: {}", one.file, one.name);
        if trace {
            text.push_str(&one.timeline());
        }
        text.push_str(&wrong(one));
    }
    let failed = played.iter().filter(|one| !one.passed()).count();
    let all = played.len();
    let plural = if all == 1 { "" } else { "s" };
    _ = match failed {
        0 => writeln!(text, "{all} scenario{plural}, all as expected"),
        _ => writeln!(text, "{failed} of {all} scenario{plural} not as expected"),
    };
    text
}

fn wrong(played: &Played) -> String {
    let mut text = String::new();
    match &played.outcome {
        Err(reason) => _ = writeln!(text, "  {}", reason.replace('\n', "\n  ")),
        Ok((_, differences)) => {
            for difference in differences {
                _ = writeln!(text, "  {}", difference.what);
                text.push_str(&lines("-", &difference.expected));
                text.push_str(&lines("+", &difference.seen));
            }
        }
    }
    text
}

/// What was expected has a `-` before it, what was seen a `+`; nothing of it steers a terminal.
fn lines(sign: &str, value: &str) -> String {
    let mut text = String::new();
    for line in value.split('\n') {
        let safe: String = line
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        _ = writeln!(text, "    {sign} {safe}");
    }
    text
}

/// One JSON document for all scenarios.
pub fn json(played: &[Played], trace: bool) -> String {
    let scenarios = played.iter().map(|one| {
        let (error, differences, run) = match &one.outcome {
            Ok((run, differences)) => (None, differences.as_slice(), Some(run)),
            Err(reason) => (Some(reason), &[][..], None),
        };
        let mut value = json!({
            "file": one.file, "name": one.name, "passed": one.passed(),
            "error": error, "differences": differences,
        });
        if let Some(run) = run {
            value["virtual_ms"] = json!(run.ended.as_secs_f64() * 1000.0);
            value["fuel"] = json!(run.usage.fuel);
            value["memory"] = json!(run.usage.memory);
            value["hostcalls"] = json!(run.usage.hostcalls);
        }
        if trace {
            value["timeline"] = json!(one.timeline().lines().collect::<Vec<_>>());
        }
        value
    });
    let document = json!({"scenarios": scenarios.collect::<Vec<_>>()});
    format!("{document:#}\n")
}

/// JUnit's XML, one test case for each scenario, in a suite of this name.
pub fn junit(played: &[Played], suite: &str) -> String {
    let failed = played.iter().filter(|one| !one.passed()).count();
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let all = played.len();
    _ = writeln!(
        xml,
        "<testsuite name=\"{}\" tests=\"{all}\" failures=\"{failed}\">",
        escaped(suite)
    );
    for one in played {
        let (file, name) = (escaped(&one.file), escaped(&one.name));
        _ = write!(xml, "  <testcase classname=\"{file}\" name=\"{name}\"");
        if one.passed() {
            xml.push_str("/>\n");
        } else {
            let text = escaped(&wrong(one));
            _ = writeln!(
                xml,
                "><failure message=\"not as expected\">\n{text}</failure></testcase>"
            );
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text for XML 1.0, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
}
