//! `modgate explain`: what a policy does with a module, and why. Every decision is the engine's.

mod print;
mod sender;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use modgate_engine::decision::{evaluate, evaluate_as_tenant};
use modgate_policy::model::{Age, RolloutSide, Subject, Tenant};
use modgate_policy::tools::{Match, PolicySource, RuleMatch};
use serde::Serialize;

use super::out;
use super::policy_file::load::the_policy;
use super::policy_file::request::{Explained, Requested, get};
use sender::Sender;

/// The arguments of `modgate explain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --tenant, --header, --fact and --path-prefix, prints one line per tenant.\n\
    --header, --fact and --path-prefix identify the client as the filter would; the identity source that names the tenant is shown."
)]
pub(super) struct Args {
    /// `MODULE`, `MODULE@VERSION`, `MODULE@latest` or `MODULE@list`.
    #[arg(value_name = "MODULE[@VERSION]")]
    module: String,
    /// The policy: a file as for `modgate check`; `-` for standard input.
    #[arg(long, value_name = "POLICY", default_value = "policy.json")]
    policy: PathBuf,
    /// The tenant that sends the request.
    #[arg(long, conflicts_with_all = ["header", "fact", "path_prefix"])]
    tenant: Option<String>,
    /// A header of the request.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// An attribute that Envoy verified, such as `connection.uri_san_peer_certificate`, and its value.
    #[arg(long, value_name = "PATH=VALUE")]
    fact: Vec<String>,
    /// The URL path before the module, such as `/t/web`.
    #[arg(long, value_name = "PREFIX")]
    path_prefix: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is reported for one tenant.
#[derive(Debug, Serialize)]
struct Explanation {
    module: String,
    /// The tenant as the policy knows it; `None` where nobody is named and there is no `*`.
    tenant: Option<String>,
    /// The name that was requested, where the policy has no tenant of that name.
    requested_as: Option<String>,
    /// The source that named it.
    identity: Option<&'static str>,
    /// The rules that were tried, in order; the last decided where it matches.
    rules: Vec<Rule>,
    /// The same of the rules that are rolled out, where there are some.
    candidate: Option<Vec<Rule>>,
    /// By request, in the order in which go sends them.
    requests: Vec<Explained>,
}

#[derive(Debug, Serialize)]
struct Rule {
    rule: String,
    effect: &'static str,
    matches: bool,
    patterns: Vec<Pattern>,
    /// What comes of it: `no_match`, `skipped`, `needs_lookup` or `decides`.
    result: &'static str,
    /// Why it does not decide, though it matches.
    skip_reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Pattern {
    pattern: String,
    matches: bool,
    /// Why it does not match.
    why: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let requested = Requested::parse(&args.module)?;
    let policy_source = the_policy(&args.policy)?;
    let sender = Sender::read(&args.header, &args.fact, args.path_prefix.as_deref())?;
    let mut all = Vec::new();
    match (&args.tenant, sender) {
        (Some(name), _) => {
            let tenant = policy_source.policy.tenant(Some(name)).ok_or_else(|| {
                let known: Vec<_> = policy_source
                    .policy
                    .tenants()
                    .iter()
                    .map(|t| &*t.name)
                    .collect();
                format!(
                    "no tenant is named {name:?}, and there is no \"*\"; there are: {}",
                    known.join(", ")
                )
            })?;
            let explanation = for_tenant(&policy_source, &requested, tenant);
            all.push(Explanation {
                requested_as: (tenant.name != *name).then(|| name.clone()),
                ..explanation
            });
        }
        (None, Some(sender)) => all.push(for_sender(&policy_source, &requested, &sender)),
        (None, None) => all.extend(
            policy_source
                .policy
                .tenants()
                .iter()
                .map(|t| for_tenant(&policy_source, &requested, t)),
        ),
    }
    let mut out = out::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    match all.as_slice() {
        [one] => print::whole(one, &mut out)?,
        many => print::short(&args.module, many, &mut out)?,
    }
    Ok(())
}

fn for_tenant(policy_source: &PolicySource, requested: &Requested, tenant: &Tenant) -> Explanation {
    let requests = requested.paths().into_iter().map(|path| {
        let decision = evaluate_as_tenant(&policy_source.policy, &get(&path), tenant, Age::Unasked);
        Explained::of(&decision, &path)
    });
    Explanation {
        module: requested.module.clone(),
        tenant: Some(tenant.name.clone()),
        requested_as: None,
        identity: None,
        rules: rules(
            policy_source,
            tenant,
            RolloutSide::Active,
            &requested.module,
            &requested.subject(),
        ),
        candidate: candidate(
            policy_source,
            tenant,
            &requested.module,
            &requested.subject(),
        ),
        requests: requests.collect(),
    }
}

fn for_sender(policy_source: &PolicySource, requested: &Requested, sender: &Sender) -> Explanation {
    let mut explanation = Explanation {
        module: requested.module.clone(),
        tenant: None,
        requested_as: None,
        identity: None,
        rules: Vec::new(),
        candidate: None,
        requests: Vec::new(),
    };
    for path in requested.paths() {
        let path = format!("{}{path}", sender.prefix);
        let headers = [get(&path), sender.headers.clone()].concat();
        let decision = evaluate(&policy_source.policy, &headers, &sender.facts);
        explanation.identity = decision.identity;
        // A route may stand before the module, so it is the decision that says which is meant.
        let module = decision.module.as_deref();
        if let (Some(tenant), Some(module), true) =
            (decision.tenant, module, explanation.rules.is_empty())
        {
            explanation.tenant = Some(tenant.name.clone());
            let subject = requested.subject();
            explanation.rules = rules(policy_source, tenant, RolloutSide::Active, module, &subject);
            explanation.candidate = candidate(policy_source, tenant, module, &subject);
        }
        explanation.requests.push(Explained::of(&decision, &path));
    }
    explanation
}

/// The candidate's rules, where a rollout has some.
fn candidate(
    policy_source: &PolicySource,
    tenant: &Tenant,
    module: &str,
    subject: &Subject<'_>,
) -> Option<Vec<Rule>> {
    let written = policy_source.document.tenants.get(&tenant.name)?;
    written.rollout.as_ref()?;
    Some(rules(
        policy_source,
        tenant,
        RolloutSide::Candidate,
        module,
        subject,
    ))
}

fn rules(
    policy_source: &PolicySource,
    tenant: &Tenant,
    side: RolloutSide,
    module: &str,
    subject: &Subject<'_>,
) -> Vec<Rule> {
    let tried = policy_source.tried(tenant, side, module, subject);
    tried
        .iter()
        .map(|tried| Rule {
            rule: format!("{}/{}", tried.set, &*tried.rule.id),
            effect: match (&tried.rule.allow, tried.rule.hide) {
                (Some(_), _) => "allow",
                (None, Some(true)) => "hide",
                (None, _) => "deny",
            },
            matches: tried.result != RuleMatch::NoMatch,
            result: match &tried.result {
                RuleMatch::NoMatch => "no_match",
                RuleMatch::Skipped(_) => "skipped",
                RuleMatch::NeedsLookup => "needs_lookup",
                RuleMatch::Decides => "decides",
            },
            skip_reason: match &tried.result {
                RuleMatch::Skipped(why) => Some(why.clone()),
                _ => None,
            },
            patterns: tried
                .patterns
                .iter()
                .map(|(pattern, found)| Pattern::of(pattern, found))
                .collect(),
        })
        .collect()
}

impl Pattern {
    fn of(pattern: &str, found: &Match) -> Self {
        Self {
            pattern: pattern.to_owned(),
            matches: *found == Match::Yes,
            why: match found {
                Match::Yes => None,
                Match::No(why) => Some(why.clone()),
            },
        }
    }
}
