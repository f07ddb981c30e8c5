//! `dashboard-pictures ANSWERS FOLDER`: previews of the dashboards, drawn of what their queries brought. Grafana draws
//! them in its own way; what is the same are places, titles, values, colours and thresholds. `make pictures` gets the
//! answers from a real Prometheus.

mod chart;
mod figure;
mod grid;
mod page;
mod panel;
mod paper;
mod words;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [answers, folder] = arguments.as_slice() else {
        eprintln!("usage: dashboard-pictures ANSWERS FOLDER");
        return ExitCode::from(2);
    };
    match draw(Path::new(answers), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dashboard-pictures: {answers}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(answers: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let answers = serde_json::from_slice(&std::fs::read(answers)?)?;
    page::draw_all(&answers, folder)
}
