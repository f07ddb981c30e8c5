//! The requests that the go command sends for a module, evaluated by the engine.

use modgate_engine::decision::{Decision, RequestDecision};
use modgate_go::gomod::{check_path, check_query, escape_into, is_canonical_for, semver};
use modgate_go::goproxy::OperationName;
use modgate_go::http::Header;
use modgate_policy::model::{Age, BUCKETS, MatchedRule, Plan, Subject, Verdict};
use serde::Serialize;

/// A module, and what of it is requested.
#[derive(Clone, Debug)]
pub(crate) struct Requested {
    pub(crate) module: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The module as `go get MODULE` asks: its list, and its newest version.
    Module,
    /// Its list.
    List,
    /// Its newest version.
    Latest,
    /// A canonical version: its info, go.mod and zip, and the list.
    Version(String),
    /// A branch, commit or the like: its info.
    Query(String),
}

impl Requested {
    /// Reads `MODULE[@VERSION|@latest|@list]`.
    ///
    /// # Errors
    /// One sentence, where it can be no module or version.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (module, version) = match text.split_once('@') {
            Some((module, version)) => (module, Some(version)),
            None => (text, None),
        };
        check_path(module)
            .map_err(|e| format!("{module:?} is not a valid module path: {}", e.reason()))?;
        let what = match version {
            None => What::Module,
            Some("list") => What::List,
            Some("latest") => What::Latest,
            Some(version) if is_canonical_for(module, version).is_ok() => {
                What::Version(version.to_owned())
            }
            Some(query) => {
                let said = |e: modgate_go::gomod::NameError| {
                    format!("{query:?} is not a valid version: {}", e.reason())
                };
                check_query(query).map_err(said)?;
                What::Query(query.to_owned())
            }
        };
        Ok(Self {
            module: module.to_owned(),
            what,
        })
    }

    /// What the rules are evaluated for.
    pub(crate) fn subject(&self) -> Subject<'_> {
        match &self.what {
            What::Version(version) => semver::parse(version).map_or(Subject::Module, |version| {
                Subject::Version(version, Age::Unasked)
            }),
            _ => Subject::Module,
        }
    }

    /// The paths of the requests, behind the tenant's prefix.
    pub(crate) fn paths(&self) -> Vec<String> {
        let of = |file: &str| path(&self.module, file);
        let of_version = |version: &str, extension: &str| {
            let mut file = "@v/".to_owned();
            escape_into(version, &mut file);
            of(&format!("{file}.{extension}"))
        };
        match &self.what {
            What::Module => vec![of("@v/list"), of("@latest")],
            What::List => vec![of("@v/list")],
            What::Latest => vec![of("@latest")],
            What::Version(version) => {
                let mut paths = vec![of("@v/list")];
                paths
                    .extend(["info", "mod", "zip"].map(|extension| of_version(version, extension)));
                paths
            }
            What::Query(query) => vec![of_version(query, "info")],
        }
    }
}

/// A module's file as a path, in the bytes that the go command sends: it escapes `!` once more.
pub(crate) fn path(module: &str, file: &str) -> String {
    let mut path = "/".to_owned();
    escape_into(module, &mut path);
    format!("{path}/{file}").replace('!', "%21")
}

/// A request of the go command for a path.
pub(crate) fn get(path: &str) -> Vec<Header> {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    vec![header(":method", "GET"), header(":path", path)]
}

/// A header as it is given on the command line, `NAME: VALUE`.
///
/// # Errors
/// One sentence, where it is none.
pub(crate) fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text
        .split_once(':')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("--header {text:?}: write NAME: VALUE"))?;
    let name = match name.trim().to_ascii_lowercase() {
        // What HTTP/1.1 calls so, the filter sees under its newer name.
        host if host == "host" => ":authority".to_owned(),
        name => name,
    };
    Ok((name, value.trim().as_bytes().to_vec()))
}

/// What comes of one request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explained {
    pub(crate) operation: &'static str,
    /// The path that the client asks for.
    pub(crate) path: String,
    /// `allow`, `deny`, `probe` or `hide`; `by age` where that must be looked up; `refuse` where the
    /// request cannot be evaluated by rules.
    pub(crate) decision: String,
    /// The stage of the rules that decided.
    pub(crate) stage: &'static str,
    /// What the tenant's other rules say: the decision and the rule.
    pub(crate) other: Option<(String, String)>,
    /// The split, the variant and what gave it, in words.
    pub(crate) split: Option<String>,
    /// What is looked up at the backend before the client is answered, in words.
    pub(crate) lookup: Option<&'static str>,
    /// The rule that decided, as `set/rule`, or what else did.
    pub(crate) rule: Option<String>,
    /// The route's name.
    pub(crate) route: Option<String>,
    /// Where the routes would lead that are not followed, in words.
    pub(crate) other_route: Option<String>,
    pub(crate) backend: Option<String>,
    pub(crate) cluster: Option<String>,
    /// The exact path that goes upstream.
    pub(crate) upstream: Option<String>,
    /// What is checked of the answer, in words.
    pub(crate) check: Option<String>,
    /// The status and the text of an answer that the filter gives itself.
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<String>,
}

impl Explained {
    /// What a decision on the path says.
    pub(crate) fn of(decision: &RequestDecision<'_>, requested: &str) -> Self {
        let (outcome, rule) = decided(decision);
        let verdict = decision.rule_decisions.map(|rules| rules.effective);
        let of_version = matches!(
            decision.operation,
            OperationName::Info | OperationName::Mod | OperationName::Zip
        );
        let by_age =
            verdict.is_some_and(|verdict| verdict.too_young.is_some() && verdict.needs_lookup);
        let outcome = if by_age { "by age" } else { outcome };
        let other = decision.rule_decisions.and_then(|rules| rules.shadow);
        let mut explained = Self {
            operation: decision.operation.as_str(),
            path: requested.to_owned(),
            decision: outcome.to_owned(),
            stage: decision.stage.name,
            other: other.map(|other| (other.decision.as_str().to_owned(), full_name(&other))),
            split: decision.split.map(|assigned| assigned.to_string()),
            lookup: None,
            rule: (rule != "-").then_some(rule),
            route: decision.route.map(|route| match decision.bucket {
                Some(bucket) => format!("{}, bucket {bucket} of {BUCKETS}", route.id),
                None => route.id.clone(),
            }),
            other_route: decision.route_trial.map(|trial| match trial.alternative {
                Some((route, backend)) => format!("{}, backend {}", route.id, backend.name),
                None => "none; the request would be refused".to_owned(),
            }),
            backend: None,
            cluster: None,
            upstream: None,
            check: None,
            status: None,
            body: None,
        };
        match &decision.action {
            Decision::Forward {
                backend,
                cluster,
                path,
            }
            | Decision::Pending {
                backend,
                cluster,
                path,
                ..
            } => {
                if let Decision::Pending { .. } = decision.action {
                    let is_led =
                        explained.split.is_some() && decision.operation != OperationName::List;
                    explained.lookup = Some(if is_led {
                        "the variant's version, in its .info"
                    } else if by_age {
                        "the age of the version, in its .info"
                    } else if of_version {
                        "the version, to evaluate it"
                    } else {
                        "the version list, to evaluate each version"
                    });
                }
                explained.backend = Some(backend.name.clone());
                explained.cluster = Some((*cluster).to_owned());
                explained.upstream = Some(path.clone().unwrap_or_else(|| requested.to_owned()));
                explained.check = check(&decision.plan);
            }
            Decision::LocalReply(reply) => {
                explained.status = Some(reply.status);
                explained.body = Some(reply.body.clone());
            }
        }
        explained
    }
}

/// The decision (`refuse` where the request cannot be evaluated by rules), and the rule that made it, as
/// `set/rule`, or what else did; `-` where nothing did.
pub(crate) fn decided(decision: &RequestDecision<'_>) -> (&'static str, String) {
    let (outcome, label) = decision.decision_labels().unwrap_or(("refuse", "-"));
    let verdict = decision.rule_decisions.map(|rules| rules.effective);
    let rule = match verdict {
        Some(verdict) if verdict.rule_label() == label => full_name(&verdict),
        _ => label.to_owned(),
    };
    (outcome, rule)
}

/// Whether a request goes to a backend.
pub(crate) fn goes_on(decision: &RequestDecision<'_>) -> bool {
    match decision.action {
        Decision::Forward { .. } | Decision::Pending { .. } => true,
        Decision::LocalReply(_) => false,
    }
}

/// The rule that gave a verdict, with its set.
fn full_name(verdict: &Verdict<'_>) -> String {
    match verdict.rule {
        Some(MatchedRule { set, rule, .. }) => format!("{}/{}", set.name, rule.id),
        None => verdict.rule_label().to_owned(),
    }
}

fn check(plan: &Plan) -> Option<String> {
    match plan {
        Plan::Pass => None,
        Plan::Unknown(_) => Some("its hash is unknown; it passes".to_owned()),
        Plan::Refuse(_) => Some("its hash is unknown; it is refused".to_owned()),
        Plan::Check(checked) => {
            let evidence = checked.evidence.as_str();
            let wrong = if checked.enforce {
                "refused"
            } else {
                "logged and served"
            };
            Some(format!(
                "its hash against {evidence}; a mismatch is {wrong}"
            ))
        }
    }
}
