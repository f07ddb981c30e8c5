//! What came of scenarios, for people and for machines.

use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::difference::Difference;
use super::run::Run;
use super::shown::shown;

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
        let [file, name] = [&one.file, &one.name].map(|part| shown(part, usize::MAX));
        _ = writeln!(text, "{word}  {file}: {name}");
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
        Err(reason) => {
            for line in reason.lines() {
                _ = writeln!(text, "  {}", shown(line, usize::MAX));
            }
        }
        Ok((_, differences)) => {
            for difference in differences {
                _ = writeln!(text, "  {}", shown(&difference.what, usize::MAX));
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
        _ = writeln!(text, "    {sign} {}", shown(line, usize::MAX));
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
    let mut report = Report::new(suite);
    let mut cases = TestSuite::new(suite);
    cases.add_test_cases(played.iter().map(test_case));
    report.add_test_suite(cases);
    // What could fail is the writing, and a String takes all.
    report.to_string().unwrap_or_default()
}

fn test_case(played: &Played) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !played.passed() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message("not as expected");
        status.set_description(format!("\n{}", wrong(played)));
    }
    let mut case = TestCase::new(played.name.as_str(), status);
    case.set_classname(played.file.as_str());
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> [Played; 1] {
        [Played {
            file: "a&b.yaml".to_owned(),
            name: "<one>".to_owned(),
            outcome: Err("\u{1b}[31mno \u{202e}scenario\nat line 1".to_owned()),
        }]
    }

    #[test]
    fn nothing_of_a_reason_steers_a_terminal() {
        let text = text(&broken(), false);
        let wanted = "  \\u{1b}[31mno \\u{202e}scenario\n  at line 1\n";
        assert!(text.contains(wanted), "{text}");
    }

    #[test]
    fn nothing_of_a_name_steers_a_terminal() {
        let [mut hostile] = broken();
        hostile.file = "a\u{1b}[2J.yaml".to_owned();
        hostile.name = "one\u{202e}".to_owned();
        let text = text(&[hostile], false);
        let wanted = "FAIL  a\\u{1b}[2J.yaml: one\\u{202e}\n";
        assert!(text.starts_with(wanted), "{text}");
    }

    #[test]
    fn junit_counts_and_escapes() {
        let xml = junit(&broken(), "sim");
        for wanted in [
            "<testsuite name=\"sim\" tests=\"1\"",
            "failures=\"1\"",
            "<testcase name=\"&lt;one&gt;\" classname=\"a&amp;b.yaml\">",
            "<failure message=\"not as expected\">\n  \\u{1b}[31mno",
        ] {
            assert!(xml.contains(wanted), "{wanted}: {xml}");
        }
    }
}
