//! The steps of a lookup for a version list: the list itself, the ages of its versions, and retractions.

use super::context::LookupContext;
use super::list::{self, Latest};
use super::list_filter::ListFilter;
use super::state::{Awaited, Progress, State, ask, conclude};
use super::{BackendQuery, Fetched, QueryId, Step, info};
use crate::reply::LocalReply;
use modgate_go::gomod::retract::Interval;

/// The most bytes of a go.mod file that are read. Go's own limit is 16 MiB; the largest real files have a
/// tenth of this.
const MAX_GO_MOD_BYTES: usize = 1 << 20;

impl State {
    pub(super) fn ask_list<'p>(&mut self, context: &LookupContext<'_, 'p>) -> Step<'p> {
        self.awaited = Awaited::List;
        let target = context.target;
        ask(target.path(&target.list()), list::MAX_BYTES)
    }

    pub(super) fn on_list<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        let body = context.body(fetched)?;
        // Such as a compressed one without `content-encoding`: read as text it would be an empty list.
        if std::str::from_utf8(body).is_err() {
            return Err(context.failed("its list is no text"));
        }
        let filter = ListFilter::of(context, self.choice, body)
            .map_err(|why| context.failed(&format!("its list cannot be shaped: {why}")))?;
        Ok(self.go_on(context, filter))
    }

    /// Looks up what the list still needs.
    fn go_on<'p>(&mut self, context: &LookupContext<'_, 'p>, mut filter: ListFilter) -> Step<'p> {
        let wanted = filter.wants_ages(context);
        if !wanted.is_empty() {
            let target = context.target;
            let query = |(number, version): (usize, &String)| BackendQuery {
                id: QueryId(number),
                path: target.path(&target.info(version)),
                limit: info::MAX_INFO_BYTES,
            };
            let queries = wanted.iter().enumerate().map(query).collect();
            self.awaited = Awaited::Ages(filter, wanted.into_iter().map(Some).collect());
            return Step::Ask(queries);
        }
        filter.close(context);
        if let Some(reply) = filter.newest_failed(context) {
            return Step::reply(reply);
        }
        let Some(newest) = filter.hidden_newest(context) else {
            return self.finish(context, filter, &[]);
        };
        let noted = context.env.recall(&context.retractions_key(&newest));
        let noted = noted.and_then(|noted| serde_json::from_slice::<Vec<Interval>>(&noted).ok());
        if let Some(intervals) = noted {
            return self.finish(context, filter, &intervals);
        }
        let step = ask_go_mod(context, &newest);
        self.awaited = Awaited::Retractions(filter, newest);
        step
    }

    pub(super) fn on_age<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
        mut filter: ListFilter,
        mut awaited: Vec<Option<String>>,
        QueryId(number): QueryId,
    ) -> Progress<'p> {
        let version = awaited.get_mut(number).and_then(Option::take);
        if let Some(version) = version {
            let published = match context.info_of(fetched, &version) {
                Ok((info, _)) => context.published(&info, fetched.last_modified),
                // A version without an answer is not offered.
                Err(reply) => {
                    // The client itself can change who asks, or how often.
                    if matches!(fetched.status, Some(401 | 429)) {
                        filter.is_refused();
                    }
                    if !matches!(fetched.status, Some(403 | 404 | 410)) {
                        filter.failed(&version, reply);
                    }
                    None
                }
            };
            filter.learned(context, &version, published);
        }
        if awaited.iter().any(Option::is_some) {
            self.awaited = Awaited::Ages(filter, awaited);
            return Ok(Step::Wait);
        }
        if let Some(reply) = filter.refusal() {
            return Err(reply);
        }
        Ok(self.go_on(context, filter))
    }

    pub(super) fn on_retractions<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
        filter: ListFilter,
        newest: &str,
    ) -> Progress<'p> {
        let intervals = context.retractions(fetched, newest)?;
        if let Ok(noted) = serde_json::to_vec(&intervals) {
            context.env.note(&context.retractions_key(newest), &noted);
        }
        Ok(self.finish(context, filter, &intervals))
    }

    /// The list is complete.
    fn finish<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        filter: ListFilter,
        intervals: &[Interval],
    ) -> Step<'p> {
        self.choice = filter.choice;
        let filtered = filter.finish(intervals);
        let Some(refused) = &self.refused else {
            return Step::reply(LocalReply::list(filtered.write()));
        };
        match filtered.latest() {
            Latest::Is(version) => self.ask_info(context, &version, Awaited::Version),
            Latest::Depends {
                compatible,
                highest,
            } => {
                let step = ask_go_mod(context, &compatible);
                self.awaited = Awaited::Legacy {
                    compatible,
                    highest,
                };
                step
            }
            Latest::Unlisted => {
                let age = context.recalled_age(refused);
                conclude(context, refused, age, None)
            }
        }
    }

    /// Go picks the highest version of all if the highest one with a go.mod file has none of its own, and the
    /// backend made one up (cmd/go, `modfetch.LegacyGoMod`).
    pub(super) fn on_legacy<'p>(
        &mut self,
        context: &LookupContext<'_, 'p>,
        fetched: Fetched<'_>,
        compatible: String,
        highest: String,
    ) -> Progress<'p> {
        let body = context.body(fetched)?;
        let made_up = format!("module {}\n", context.target.module);
        let is_made_up = body == made_up.as_bytes();
        let version = if is_made_up { highest } else { compatible };
        Ok(self.ask_info(context, &version, Awaited::Version))
    }
}

fn ask_go_mod<'p>(context: &LookupContext<'_, 'p>, version: &str) -> Step<'p> {
    let target = context.target;
    ask(target.path(&target.go_mod(version)), MAX_GO_MOD_BYTES)
}
