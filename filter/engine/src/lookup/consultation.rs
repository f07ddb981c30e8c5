//! A request that waits while its backend is asked, from question to question.

use super::World;
use super::about::About;
use super::info::{self, Info};
use super::list::{self, Latest};
use super::shaping::Shaping;
use super::steer::Steer;
use crate::reply::Reply;
use modgate_go::gomod::retract::Interval;
use modgate_go::gomod::{is_canonical_for, retract};
use modgate_go::goproxy::Operation;
use modgate_go::http::Header;
use modgate_policy::model::{Age, Decision, Policy, RuleDecisions};

/// The most bytes of a go.mod file that are read. Go's own limit is 16 MiB; the largest ones of real
/// modules have a tenth of this.
const MAX_GO_MOD_BYTES: usize = 1 << 20;

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consultation {
    about: About,
    goal: Goal,
    stage: Stage,
    /// The version that the backend called the latest, and that is refused.
    refused: Option<String>,
}

/// What the client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The version list.
    List,
    /// The latest version.
    Latest,
    /// What a branch, a commit or the beginning of a version is.
    Query(String),
    /// The `.info` of a version.
    Info(String),
    /// The go.mod file of a version.
    GoMod(String),
    /// The zip of a version.
    Zip(String),
}

impl Goal {
    /// What is to be found out for a request where the rules do not say the same of every version.
    pub(crate) fn of(operation: &Operation<'_>) -> Option<Self> {
        match operation {
            Operation::List { .. } => Some(Self::List),
            Operation::Latest { .. } => Some(Self::Latest),
            Operation::Info { query, .. } => Some(match operation.canonical_version() {
                Some(version) => Self::Info(version.to_owned()),
                None => Self::Query(query.to_string()),
            }),
            Operation::Mod { version, .. } => Some(Self::GoMod(version.to_string())),
            Operation::Zip { version, .. } => Some(Self::Zip(version.to_string())),
            Operation::Sumdb { .. } => None,
        }
    }
}

/// What is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was asked yet, or everything is answered.
    Idle,
    List,
    Latest,
    Query,
    /// The `.info` of the version that the client wants, or that is the latest of the shaped list.
    Version(String),
    /// The `.info` of the version that the backend calls the latest.
    OfLatest(String),
    /// The `.info` of the variant's version.
    Variant(String),
    /// The `.info`s of versions of the list, each by the number of its question; `None` where it came.
    Ages(Shaping, Vec<Option<String>>),
    /// The go.mod of the newest version of the list, which is hidden.
    Retractions(Shaping, String),
    /// The go.mod of the highest version that is no `+incompatible` one.
    Legacy {
        compatible: String,
        highest: String,
    },
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step<'p> {
    /// The backend is asked all of this at once, and each answer is [`Consultation::answered`]. Never
    /// empty.
    Ask(Vec<Question>),
    /// The answers to questions that were asked before are awaited.
    Wait,
    /// The request goes on to its backend.
    Proceed(RuleDecisions<'p>),
    /// The client is answered.
    Answer {
        /// What the rules say of the version that it came to, where it came to one.
        rule_decisions: Option<RuleDecisions<'p>>,
        /// The answer.
        reply: Reply,
    },
}

/// What the backend is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What tells its answer from those to other questions that are asked at once.
    pub number: usize,
    /// The path, canonical.
    pub path: String,
    /// The most bytes of the answer that are read.
    pub limit: usize,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetched<'a> {
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// The body; `None` where it is too long, or did not come whole.
    pub body: Option<&'a [u8]>,
    /// Why there is no body, or none that counts, as half a sentence.
    pub why_no_body: Option<&'a str>,
    /// The headers.
    pub headers: &'a [Header],
    /// The header `Last-Modified`.
    pub last_modified: Option<&'a str>,
}

/// What goes on, or ends the consultation.
type Progress<'p> = Result<Step<'p>, Reply>;

impl Consultation {
    pub(crate) const fn new(about: About, goal: Goal) -> Self {
        Self {
            about,
            goal,
            stage: Stage::Idle,
            refused: None,
        }
    }

    /// The place of the backend that is asked among the policy's.
    pub const fn backend(&self) -> usize {
        self.about.backend
    }

    /// The variant that it was led to, by now.
    pub(crate) const fn steer(&self) -> Option<Steer> {
        self.about.steer
    }

    /// The first step.
    pub fn begin<'p>(&mut self, policy: &'p Policy, world: &dyn World) -> Step<'p> {
        let is_led = matches!(self.goal, Goal::Latest | Goal::Query(_));
        if let Some(version) = self.about.steered_to(policy).filter(|_| is_led) {
            let step = self.ask_info(version);
            self.stage = Stage::Variant(version.to_owned());
            return step;
        }
        match self.goal.clone() {
            Goal::List => self.ask_list(),
            Goal::Latest => {
                self.stage = Stage::Latest;
                ask(self.about.path(&self.about.latest()), info::MAX_INFO_BYTES)
            }
            Goal::Query(query) => {
                self.stage = Stage::Query;
                self.ask_info(&query)
            }
            Goal::Info(version) | Goal::GoMod(version) | Goal::Zip(version) => {
                let age = self.about.recalled_age(policy, world, &version);
                if age != Age::Unasked {
                    return self.conclude(policy, &version, age, None);
                }
                let step = self.ask_info(&version);
                self.stage = Stage::Version(version);
                step
            }
        }
    }

    /// The step behind the answer to the question with that number.
    pub fn answered<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        number: usize,
        fetched: Fetched<'_>,
    ) -> Step<'p> {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        let progress = match stage {
            Stage::Idle => Err(self.failed(policy, "nothing was asked")),
            Stage::List => self.on_list(policy, world, fetched),
            Stage::Latest => self.on_latest(policy, world, fetched),
            Stage::Query => self.on_query(policy, world, fetched),
            Stage::Version(version) => self.on_info(policy, world, fetched, &version),
            Stage::OfLatest(version) => self.on_info_of_latest(policy, world, fetched, &version),
            Stage::Variant(version) => self.on_variant(policy, world, fetched, &version),
            Stage::Ages(shaping, awaited) => {
                self.on_age(policy, world, fetched, shaping, awaited, number)
            }
            Stage::Retractions(shaping, newest) => {
                self.on_retractions(policy, world, fetched, shaping, &newest)
            }
            Stage::Legacy {
                compatible,
                highest,
            } => self.on_legacy(policy, fetched, compatible, highest),
        };
        progress.unwrap_or_else(|reply| Step::Answer {
            rule_decisions: None,
            reply,
        })
    }

    fn on_list<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        let body = self.body(policy, fetched)?;
        // Such as a compressed one that does not say so: nothing is left of it where lines are looked for.
        if std::str::from_utf8(body).is_err() {
            return Err(self.failed(policy, "its list is no text"));
        }
        let shaping = Shaping::of(&self.about, policy, world, body)
            .map_err(|why| self.failed(policy, &format!("its list cannot be shaped: {why}")))?;
        Ok(self.shape(policy, world, shaping))
    }

    /// Looks up what a list still lacks.
    fn shape<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        mut shaping: Shaping,
    ) -> Step<'p> {
        let wanted = shaping.wants_ages(&self.about, policy, world.waited());
        if !wanted.is_empty() {
            let question = |(number, version): (usize, &String)| Question {
                number,
                path: self.about.path(&self.about.info(version)),
                limit: info::MAX_INFO_BYTES,
            };
            let questions = wanted.iter().enumerate().map(question).collect();
            self.stage = Stage::Ages(shaping, wanted.into_iter().map(Some).collect());
            return Step::Ask(questions);
        }
        shaping.close(&self.about, policy, world);
        if let Some(reply) = shaping.newest_failed(&self.about) {
            return Step::Answer {
                rule_decisions: None,
                reply,
            };
        }
        let Some(newest) = shaping.hidden_newest(&self.about) else {
            return self.shaped(policy, world, shaping, &[]);
        };
        let noted = world.recall(&self.retractions_key(policy, &newest));
        let noted = noted.and_then(|noted| serde_json::from_slice::<Vec<Interval>>(&noted).ok());
        if let Some(intervals) = noted {
            return self.shaped(policy, world, shaping, &intervals);
        }
        let step = self.ask_go_mod(&newest);
        self.stage = Stage::Retractions(shaping, newest);
        step
    }

    fn on_age<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
        mut shaping: Shaping,
        mut awaited: Vec<Option<String>>,
        number: usize,
    ) -> Progress<'p> {
        let version = awaited.get_mut(number).and_then(Option::take);
        if let Some(version) = version {
            let published = match self.info_of(policy, fetched, &version) {
                Ok((info, _)) => self.about.published(policy, &info, fetched.last_modified),
                // What the backend lists and cannot say anything of is not offered.
                Err(reply) => {
                    // Who asks, or how often, is the client's to change.
                    if matches!(fetched.status, Some(401 | 429)) {
                        shaping.is_refused();
                    }
                    if !matches!(fetched.status, Some(403 | 404 | 410)) {
                        shaping.failed(&version, reply);
                    }
                    None
                }
            };
            shaping.learned(&self.about, policy, world, &version, published);
        }
        if awaited.iter().any(Option::is_some) {
            self.stage = Stage::Ages(shaping, awaited);
            return Ok(Step::Wait);
        }
        if let Some(reply) = shaping.refusal() {
            return Err(reply);
        }
        Ok(self.shape(policy, world, shaping))
    }

    fn on_retractions<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
        shaping: Shaping,
        newest: &str,
    ) -> Progress<'p> {
        // As of every other question the client is told who may ask, and when. But that a file of a listed version is
        // not there says nothing of the list, and would send the Go command on to another proxy.
        if matches!(fetched.status, Some(400..=599)) && !is_missing(fetched.status) {
            self.body(policy, fetched)?;
        }
        let intervals = match (fetched.status, fetched.body) {
            (Some(200), Some(body)) => retract::retractions(body),
            (Some(200), None) => Err(match fetched.why_no_body {
                Some(why) => why.to_owned(),
                None => "it is too long, or did not come whole".to_owned(),
            }),
            (Some(status), _) => Err(format!("the backend answered {status}")),
            (None, _) => Err("the backend did not answer".to_owned()),
        };
        // The Go command would fail, too, where it cannot read them.
        let intervals = intervals.map_err(|why| {
            let reason = format!("the go.mod of {newest}, which may retract versions: {why}");
            self.failed(policy, &reason)
        })?;
        if let Ok(noted) = serde_json::to_vec(&intervals) {
            world.note(&self.retractions_key(policy, newest), &noted);
        }
        Ok(self.shaped(policy, world, shaping, &intervals))
    }

    /// The variant's version is the answer, if the backend has it and the rules serve it.
    fn on_variant<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
        version: &str,
    ) -> Progress<'p> {
        if !is_missing(fetched.status) {
            let (info, body) = self.info_of(policy, fetched, version)?;
            let age = self
                .about
                .noted_age_of(policy, world, &info, fetched.last_modified);
            let verdict = self.about.verdict(policy, version, age);
            if verdict.is_some_and(|verdict| verdict.decision == Decision::Allow) {
                return Ok(self.conclude(policy, version, age, Some(body)));
            }
        }
        if let Some(steer) = &mut self.about.steer {
            steer.fall_back();
        }
        Ok(self.begin(policy, world))
    }

    /// The list is as the tenant may see it.
    fn shaped<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        shaping: Shaping,
        intervals: &[Interval],
    ) -> Step<'p> {
        self.about.steer = shaping.steer;
        let shaped = shaping.finish(intervals);
        let Some(refused) = &self.refused else {
            return Step::Answer {
                rule_decisions: None,
                reply: Reply::list(shaped.write()),
            };
        };
        match shaped.latest() {
            Latest::Is(version) => self.choose(version),
            Latest::Depends {
                compatible,
                highest,
            } => {
                let step = self.ask_go_mod(&compatible);
                self.stage = Stage::Legacy {
                    compatible,
                    highest,
                };
                step
            }
            Latest::Unlisted => {
                let age = self.about.recalled_age(policy, world, refused);
                self.conclude(policy, refused, age, None)
            }
        }
    }

    fn on_latest<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        let (info, body) = self.any_info(policy, fetched)?;
        let Some(age) = self.age_by_name(policy, world, &info.version) else {
            let step = self.ask_info(&info.version);
            self.stage = Stage::OfLatest(info.version);
            return Ok(step);
        };
        Ok(self.latest_is(policy, &info.version, age, body))
    }

    /// The age of the version that the backend calls the latest, as any other of its files has it.
    fn on_info_of_latest<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
        version: &str,
    ) -> Progress<'p> {
        let (info, body) = self.info_of(policy, fetched, version)?;
        let age = self
            .about
            .noted_age_of(policy, world, &info, fetched.last_modified);
        Ok(self.latest_is(policy, version, age, body))
    }

    fn latest_is<'p>(
        &mut self,
        policy: &'p Policy,
        version: &str,
        age: Age,
        body: &[u8],
    ) -> Step<'p> {
        let verdict = self.about.verdict(policy, version, age);
        if verdict.is_some_and(|verdict| verdict.decision == Decision::Allow) {
            return self.conclude(policy, version, age, Some(body));
        }
        self.refused = Some(version.to_owned());
        self.ask_list()
    }

    fn on_query<'p>(
        &mut self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
    ) -> Progress<'p> {
        let (info, body) = self.any_info(policy, fetched)?;
        match self.age_by_name(policy, world, &info.version) {
            Some(age) => Ok(self.conclude(policy, &info.version, age, Some(body))),
            None => Ok(self.choose(info.version)),
        }
    }

    /// The age of a version that an answer to another question names; `None` where its own `.info` must be
    /// asked for, which alone says the same for all of the version's files.
    fn age_by_name(&self, policy: &Policy, world: &dyn World, version: &str) -> Option<Age> {
        let age = self.about.recalled_age(policy, world, version);
        let verdict = self.about.verdict(policy, version, age);
        let needs_lookup = verdict.is_some_and(|verdict| verdict.needs_lookup);
        (!needs_lookup).then_some(age)
    }

    /// Concludes with the `.info` of a version. Of a file that is wanted it tells the age only.
    fn on_info<'p>(
        &self,
        policy: &'p Policy,
        world: &dyn World,
        fetched: Fetched<'_>,
        version: &str,
    ) -> Progress<'p> {
        let (info, body) = self.info_of(policy, fetched, version)?;
        let age = self
            .about
            .noted_age_of(policy, world, &info, fetched.last_modified);
        let is_file = matches!(self.goal, Goal::GoMod(_) | Goal::Zip(_));
        let body = (!is_file).then_some(body);
        Ok(self.conclude(policy, version, age, body))
    }

    /// Go takes the highest of all where the highest of those that know modules has no go.mod file, and
    /// the backend made one up (cmd/go, `modfetch.LegacyGoMod`).
    fn on_legacy<'p>(
        &mut self,
        policy: &'p Policy,
        fetched: Fetched<'_>,
        compatible: String,
        highest: String,
    ) -> Progress<'p> {
        let body = self.body(policy, fetched)?;
        let made_up = format!("module {}\n", self.about.module);
        Ok(self.choose(if body == made_up.as_bytes() {
            highest
        } else {
            compatible
        }))
    }

    fn choose<'p>(&mut self, version: String) -> Step<'p> {
        let step = self.ask_info(&version);
        self.stage = Stage::Version(version);
        step
    }

    /// Ends with the verdict on a version: it is refused, or `body` is served, or else the request
    /// goes on.
    fn conclude<'p>(
        &self,
        policy: &'p Policy,
        version: &str,
        age: Age,
        body: Option<&[u8]>,
    ) -> Step<'p> {
        let Some(rule_decisions) = self.about.rule_decisions(policy, &self.goal, version, age)
        else {
            return Step::Answer {
                rule_decisions: None,
                reply: self.failed(policy, "the version cannot be read"),
            };
        };
        let refusal = self
            .about
            .refusal(policy, version, &rule_decisions.effective);
        let reply = match (refusal, body) {
            (Some(refusal), _) => refusal,
            (None, Some(body)) => Reply::info(String::from_utf8_lossy(body).into_owned()),
            (None, None) => return Step::Proceed(rule_decisions),
        };
        Step::Answer {
            rule_decisions: Some(rule_decisions),
            reply,
        }
    }

    fn ask_list<'p>(&mut self) -> Step<'p> {
        self.stage = Stage::List;
        ask(self.about.path(&self.about.list()), list::MAX_BYTES)
    }

    fn ask_info<'p>(&self, query: &str) -> Step<'p> {
        ask(
            self.about.path(&self.about.info(query)),
            info::MAX_INFO_BYTES,
        )
    }

    fn ask_go_mod<'p>(&self, version: &str) -> Step<'p> {
        ask(
            self.about.path(&self.about.go_mod(version)),
            MAX_GO_MOD_BYTES,
        )
    }

    /// The body of a good answer; every other ends the consultation.
    fn body<'b>(&self, policy: &Policy, fetched: Fetched<'b>) -> Result<&'b [u8], Reply> {
        match (fetched.status, fetched.body) {
            (Some(200), Some(body)) => Ok(body),
            (Some(status @ 400..=599), body) => Err(Reply::passed(
                status,
                fetched.headers,
                body.unwrap_or_default(),
            )),
            (Some(status), body) => Err(match (fetched.why_no_body, body) {
                (Some(why), _) => self.failed(policy, why),
                (None, None) if status == 200 => {
                    self.failed(policy, "its answer is too long, or did not come whole")
                }
                _ => self.failed(
                    policy,
                    &format!("it answered {status}, which is not followed"),
                ),
            }),
            (None, _) => Err(self.failed(policy, "it did not answer")),
        }
    }

    /// What an answer says of some version of the module.
    fn any_info<'b>(
        &self,
        policy: &Policy,
        fetched: Fetched<'b>,
    ) -> Result<(Info, &'b [u8]), Reply> {
        let body = self.body(policy, fetched)?;
        let read = info::read(body).and_then(|info| {
            match is_canonical_for(&self.about.module, &info.version) {
                Ok(()) => Ok(info),
                Err(_) => Err("its Version is none that the module can have".to_owned()),
            }
        });
        match read {
            Ok(info) => Ok((info, body)),
            Err(why) => Err(self.failed(policy, &format!("its answer cannot be read: {why}"))),
        }
    }

    /// What an answer says of this version.
    fn info_of<'b>(
        &self,
        policy: &Policy,
        fetched: Fetched<'b>,
        version: &str,
    ) -> Result<(Info, &'b [u8]), Reply> {
        let (info, body) = self.any_info(policy, fetched)?;
        if info.version == version {
            return Ok((info, body));
        }
        Err(self.failed(policy, "its answer is about another version"))
    }

    fn failed(&self, policy: &Policy, reason: &str) -> Reply {
        let name = self.about.backend_name(policy);
        let reason = format!("the backend {name}: {reason}");
        Reply::not_consulted(&reason, self.about.footer(policy))
    }

    fn retractions_key(&self, policy: &Policy, version: &str) -> String {
        self.about
            .key(policy, "retract", &self.about.go_mod(version))
    }
}

/// Whether a backend says that it does not have what was asked for.
fn is_missing(status: Option<u16>) -> bool {
    matches!(status, Some(404 | 410))
}

/// A question that is asked alone.
fn ask<'p>(path: String, limit: usize) -> Step<'p> {
    Step::Ask(vec![Question {
        number: 0,
        path,
        limit,
    }])
}
