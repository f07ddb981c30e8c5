//! The state of a lookup, and its steps for one version; those for a list are in `list_steps`.

use super::answers::{Named, Reported, is_missing};
use super::context::LookupContext;
use super::list_filter::ListFilter;
use super::variant_choice::VariantChoice;
use super::{BackendQuery, Fetched, LookupKind, QueryId, Step, info};
use crate::reply::LocalReply;
use modgate_policy::model::{Age, RuleOutcome};

/// The state of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) awaited: Awaited,
    /// The variant that the request is led to, where there is a split on the module.
    pub(super) choice: Option<VariantChoice>,
    /// The version that the backend calls the latest, if the rules refuse it.
    pub(super) refused: Option<String>,
}

/// The answer that the lookup waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// None: nothing was sent yet, or everything is answered.
    Nothing,
    List,
    Latest,
    Query,
    /// The `.info` of the requested version, or of the latest one of the filtered list.
    Version(String),
    /// The `.info` of the version that the backend calls the latest.
    OfLatest(String),
    /// The `.info` of the variant's version.
    Variant(String),
    /// The `.info`s of versions of the list, by the id of their query; `None` once answered.
    Ages(ListFilter, Vec<Option<String>>),
    /// The go.mod of the list's newest version, which is hidden.
    Retractions(ListFilter, String),
    /// The go.mod of the highest version that is not `+incompatible`.
    Legacy {
        compatible: String,
        highest: String,
    },
}

/// The next step, or the reply that ends the lookup.
pub(super) type Progress<'p> = Result<Step<'p>, LocalReply>;

impl State {
    pub(super) const fn new(choice: Option<VariantChoice>) -> Self {
        Self {
            awaited: Awaited::Nothing,
            choice,
            refused: None,
        }
    }

    pub(super) const fn choice(&self) -> Option<VariantChoice> {
        self.choice
    }

    /// The first step.
    pub(super) fn begin<'p>(&mut self, context: &LookupContext<'_, 'p>) -> Step<'p> {
        let target = context.target;
        let is_led = matches!(target.kind, LookupKind::Latest | LookupKind::Query(_));
        let version = self
            .choice
            .and_then(|choice| choice.version(context.policy));
        if let Some(version) = version.filter(|_| is_led) {
            return self.ask_info(context, version, Awaited::Variant);
        }
        match &target.kind {
            LookupKind::List => self.ask_list(context),
            LookupKind::Latest => {
                self.awaited = Awaited::Latest;
                ask(target.path(&target.latest()), info::MAX_INFO_BYTES)
            }
            LookupKind::Query(query) => self.ask_info(context, query, |_| Awaited::Query),
            LookupKind::Info(version) | LookupKind::GoMod(version) | LookupKind::Zip(version) => {
                let age = context.recalled_age(version);
                if age != Age::Unasked {
                    return conclude(context, version, age, None);
                }
                self.ask_info(context, version, Awaited::Version)
            }
        }
    }

    /// The step after the answer to this query.
    pub(super) fn answered<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        id: QueryId,
        fetched: Fetched<'_>,
    ) -> Step<'p> {
        let progress = match std::mem::replace(&mut self.awaited, Awaited::Nothing) {
            Awaited::Nothing => Err(context.failed("nothing was asked")),
            Awaited::List => self.on_list(context, fetched),
            Awaited::Latest => self.on_latest(context, fetched),
            Awaited::Query => self.on_query(context, fetched),
            Awaited::Version(version) => on_info(context, fetched, &version),
            Awaited::OfLatest(version) => {
                let reported = context.read_info(fetched, &version);
                reported.map(|reported| self.latest_is(context, reported))
            }
            Awaited::Variant(version) => self.on_variant(context, fetched, &version),
            Awaited::Ages(filter, awaited) => self.on_age(context, fetched, filter, awaited, id),
            Awaited::Retractions(filter, newest) => {
                self.on_retractions(context, fetched, filter, &newest)
            }
            Awaited::Legacy {
                compatible,
                highest,
            } => self.on_legacy(context, fetched, compatible, highest),
        };
        progress.unwrap_or_else(Step::reply)
    }

    /// The variant's version is the answer, if the backend has it and the rules allow it.
    fn on_variant<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
        version: &str,
    ) -> Progress<'p> {
        if !is_missing(fetched.status) {
            let reported = context.read_info(fetched, version)?;
            if is_served(context, &reported) {
                return Ok(serve(context, &reported));
            }
        }
        if let Some(choice) = &mut self.choice {
            choice.fall_back();
        }
        Ok(self.begin(context))
    }

    fn on_latest<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        Ok(match context.named(fetched)? {
            Named::Reported(reported) => self.latest_is(context, reported),
            Named::AgeCounts(version) => self.ask_info(context, &version, Awaited::OfLatest),
        })
    }

    fn latest_is<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        reported: Reported<'_>,
    ) -> Step<'p> {
        if is_served(context, &reported) {
            return serve(context, &reported);
        }
        self.refused = Some(reported.version);
        self.ask_list(context)
    }

    fn on_query<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        Ok(match context.named(fetched)? {
            Named::Reported(reported) => serve(context, &reported),
            Named::AgeCounts(version) => self.ask_info(context, &version, Awaited::Version),
        })
    }

    /// Queries the `.info` of a version or another query.
    pub(super) fn ask_info<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        query: &str,
        awaited: impl FnOnce(String) -> Awaited,
    ) -> Step<'p> {
        self.awaited = awaited(query.to_owned());
        let target = context.target;
        ask(target.path(&target.info(query)), info::MAX_INFO_BYTES)
    }
}

/// Ends with the `.info` of a version. For a request of another file only its age counts.
fn on_info<'p>(
    context: &LookupContext<'_, 'p>,
    fetched: Fetched<'_>,
    version: &str,
) -> Progress<'p> {
    let reported = context.read_info(fetched, version)?;
    let is_file = matches!(
        context.target.kind,
        LookupKind::GoMod(_) | LookupKind::Zip(_)
    );
    let body = (!is_file).then_some(reported.body);
    Ok(conclude(context, version, reported.age, body))
}

fn is_served(context: &LookupContext<'_, '_>, reported: &Reported<'_>) -> bool {
    let verdict = context.verdict(&reported.version, reported.age);
    verdict.is_some_and(|verdict| verdict.decision == RuleOutcome::Allow)
}

/// Serves an answer, unless the rules refuse its version.
fn serve<'p>(context: &LookupContext<'_, 'p>, reported: &Reported<'_>) -> Step<'p> {
    conclude(
        context,
        &reported.version,
        reported.age,
        Some(reported.body),
    )
}

/// Ends with the verdict on a version: it is refused, `body` is served, or the request is forwarded.
pub(super) fn conclude<'p>(
    context: &LookupContext<'_, 'p>,
    version: &str,
    age: Age,
    body: Option<&[u8]>,
) -> Step<'p> {
    let Some(rule_decisions) = context.rule_decisions(version, age) else {
        return Step::reply(context.failed("the version cannot be read"));
    };
    let refusal = context.refusal(version, &rule_decisions.effective);
    let reply = match (refusal, body) {
        (Some(refusal), _) => refusal,
        (None, Some(body)) => LocalReply::info(String::from_utf8_lossy(body).into_owned()),
        (None, None) => return Step::Proceed(rule_decisions),
    };
    Step::Answer {
        rule_decisions: Some(rule_decisions),
        reply,
    }
}

/// A single query.
pub(super) fn ask<'p>(path: String, limit: usize) -> Step<'p> {
    Step::Ask(vec![BackendQuery {
        id: QueryId(0),
        path,
        limit,
    }])
}
