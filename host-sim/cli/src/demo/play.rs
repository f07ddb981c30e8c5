//! One step, played and checked: the output of `go`, what the filter did, what the backends received
//! and what the engine says must all be what was declared.

use envoy_wasm_serve::AccessRecord;
use modgate_goproxy::{Go, Outcome, Sandbox};
use modgate_policy::model::RuleOutcome;

use super::script::{Expected, Step};
use super::stage::Stage;
use super::why::Why;

/// A step that came out as declared.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) step: &'static Step,
    /// The output of `go`.
    pub(super) outcome: Outcome,
    /// What became of the request on which all hangs.
    pub(super) record: AccessRecord,
    /// Why.
    pub(super) why: Why,
}

/// Plays a step.
///
/// # Errors
/// What did not come out as declared, as the end of a sentence.
pub(super) fn play(step: &'static Step, stage: &Stage, go: &Go) -> Result<Scene, String> {
    let sandbox = Sandbox::new(go, stage.goproxy(&step.base())).map_err(|e| e.to_string())?;
    let outcome = sandbox.run(step.arguments).map_err(|e| e.to_string())?;
    check_go(&step.expected, &outcome)?;
    let path = step.path();
    let record = stage
        .record(&path)
        .ok_or_else(|| format!("go did not request {path}"))?;
    let why = Why::of(&stage.policy, &record.path)
        .ok_or_else(|| format!("the policy has no verdict for {path}"))?;
    check_filter(&step.expected, &record, &why)?;
    check_backends(step, stage, &why)?;
    Ok(Scene {
        step,
        outcome,
        record,
        why,
    })
}

fn check_go(expected: &Expected, outcome: &Outcome) -> Result<(), String> {
    let (well, says) = match expected {
        Expected::Served { says, .. } => (true, says),
        Expected::Denied { says } => (false, says),
    };
    let said = outcome.stdout.contains(says) || outcome.stderr.contains(says);
    if outcome.ok == well && said {
        return Ok(());
    }
    let how = if outcome.ok { "ended well" } else { "failed" };
    let text = [outcome.stdout.trim(), outcome.stderr.trim()].join("\n");
    Err(format!(
        "go {how}; its output should contain `{says}`:\n{}",
        text.trim()
    ))
}

fn check_filter(expected: &Expected, record: &AccessRecord, why: &Why) -> Result<(), String> {
    let (status, decision) = match expected {
        Expected::Served { .. } => (200, RuleOutcome::Allow),
        Expected::Denied { .. } => (403, RuleOutcome::Deny),
    };
    if record.status != Some(status) {
        let got = record
            .status
            .map_or_else(|| "nothing".to_owned(), |s| s.to_string());
        return Err(format!(
            "{}: expected status {status}, got {got}",
            record.path
        ));
    }
    if why.decision != decision {
        return Err(format!(
            "the engine's verdict on {} is `{}`, expected `{}`",
            record.path,
            why.decision.as_str(),
            decision.as_str()
        ));
    }
    Ok(())
}

/// The backend that the policy names got the request as the policy rewrites it, or none got it.
fn check_backends(step: &Step, stage: &Stage, why: &Why) -> Result<(), String> {
    let got = |(name, server): &(&'static str, &modgate_goproxy::Server)| {
        let requests = server.requests();
        let requested = |wanted: &str| requests.iter().any(|r| r.path.ends_with(wanted));
        requested(step.request).then_some(*name)
    };
    let served_by = stage.backends().iter().find_map(got);
    let wanted = match step.expected {
        Expected::Served { by, .. } => Some(by),
        Expected::Denied { .. } => None,
    };
    if served_by != wanted {
        let name = |backend: Option<&'static str>| backend.unwrap_or("nobody");
        return Err(format!(
            "{}: expected a request to {}, got one to {}",
            step.request,
            name(wanted),
            name(served_by)
        ));
    }
    let Some(to) = &why.to else {
        return Ok(());
    };
    let arrived = stage.backends().iter().any(|(name, server)| {
        *name == to.backend && server.requests().iter().any(|r| r.path == to.path)
    });
    if arrived {
        return Ok(());
    }
    Err(format!(
        "the backend {} should have received a request for {}",
        to.backend, to.path
    ))
}
