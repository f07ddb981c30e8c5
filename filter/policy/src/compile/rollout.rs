//! Compiles how far what is tried has come.

use super::Errors;
use crate::document::{ByDoc, Path, StageDoc};
use crate::model::{By, Share, Stage};

/// Compiles how far something has come; `None` where it is off.
pub(crate) fn stage(
    errors: &mut Errors,
    at: &Path,
    stage: StageDoc,
    percent: Option<f64>,
    by: Option<ByDoc>,
) -> Option<Stage> {
    let share = percent.and_then(|percent| {
        let share = Share::of_percent(percent);
        if share.is_none() {
            let message = "write a number from 0 to 100 with at most two decimals";
            errors.add(&at.key("percent"), message);
        }
        share
    });
    let by = by.map(By::of);
    match stage {
        StageDoc::Off => None,
        StageDoc::Shadow => Some(Stage::Shadow),
        StageDoc::Enforce => Some(Stage::Enforce),
        StageDoc::Canary => {
            if percent.is_none() {
                errors.add(at, "a canary needs `percent`");
            }
            if by.is_none() {
                errors.add(at, "a canary needs `by`: client, tenant or module");
            }
            Some(Stage::Canary {
                share: share?,
                by: by?,
            })
        }
    }
}
