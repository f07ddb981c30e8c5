//! What a consultation is about, and how the rules judge its versions.

use crate::reply::{Footer, Reply};
use modgate_go::gomod::semver;
use modgate_go::goproxy::Operation;
use modgate_policy::model::{
    Age, Backend, ModuleRules, Policy, RuleDecisions, RuleSetSide, Subject, Tenant, TenantId,
    Verdict,
};

use super::info::{self, Info};
use super::steer::Steer;
use super::{Goal, World, ages};

/// For how many seconds a backend counts as slow that was so.
const LATELY: u64 = 600;

/// Who asks for which module, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) module: String,
    pub(crate) tenant: TenantId,
    /// The place of the backend in the policy.
    pub(crate) backend: usize,
    /// Which of the tenant's rules hold.
    pub(crate) side: RuleSetSide,
    /// The variant that it is led to, where there is a split on the module.
    pub(crate) steer: Option<Steer>,
    /// What stands before the module in the backend's paths.
    pub(crate) upstream: String,
    pub(crate) request_id: Option<String>,
    /// Whether the Go command asks this of prefixes of a path too.
    pub(crate) is_probe: bool,
}

impl About {
    /// The path of something at the backend.
    pub(super) fn path(&self, operation: &Operation<'_>) -> String {
        let mut path = self.upstream.clone();
        operation.write_canonical(&mut path);
        path
    }

    pub(super) fn list(&self) -> Operation<'_> {
        let module = self.module.as_str().into();
        Operation::List { module }
    }

    pub(super) fn latest(&self) -> Operation<'_> {
        let module = self.module.as_str().into();
        Operation::Latest { module }
    }

    pub(super) fn info<'a>(&'a self, query: &'a str) -> Operation<'a> {
        Operation::info(self.module.as_str().into(), query.into())
    }

    pub(super) fn go_mod<'a>(&'a self, version: &'a str) -> Operation<'a> {
        let (module, version) = (self.module.as_str().into(), version.into());
        Operation::Mod { module, version }
    }

    /// The verdict on a version of that age; `None` where it is no version.
    pub(super) fn verdict<'p>(
        &self,
        policy: &'p Policy,
        version: &str,
        age: Age,
    ) -> Option<Verdict<'p>> {
        let subject = Subject::Version(semver::parse(version)?, age);
        let tenant = self.tenant(policy)?;
        Some(policy.decide(tenant, self.side, &self.module, &subject, self.is_probe))
    }

    /// The rules that can be about the module, for many versions of it.
    pub(super) fn module_rules<'p>(&self, policy: &'p Policy) -> Option<ModuleRules<'p>> {
        let tenant = self.tenant(policy)?;
        Some(policy.module_rules(tenant, self.side, &self.module))
    }

    /// The same of what is wanted of it, with what the tenant's other rules say.
    pub(super) fn rule_decisions<'p>(
        &self,
        policy: &'p Policy,
        goal: &Goal,
        version: &str,
        age: Age,
    ) -> Option<RuleDecisions<'p>> {
        let version = semver::parse(version)?;
        let subject = match goal {
            Goal::GoMod(_) => Subject::GoMod(version, age),
            _ => Subject::Version(version, age),
        };
        let tenant = self.tenant(policy)?;
        Some(policy.decide_both(tenant, self.side, &self.module, &subject, self.is_probe))
    }

    /// What a client reads of a version that is refused; `None` where it is not.
    pub(super) fn refusal(
        &self,
        policy: &Policy,
        version: &str,
        verdict: &Verdict<'_>,
    ) -> Option<Reply> {
        let tenant = self.tenant(policy).map_or("-", |tenant| &tenant.name);
        Reply::refusal(&self.info(version), tenant, verdict, self.footer(policy))
    }

    pub(super) fn footer<'p>(&'p self, policy: &'p Policy) -> Footer<'p> {
        Footer {
            contact: policy.contact(),
            request_id: self.request_id.as_deref(),
        }
    }

    fn tenant<'p>(&self, policy: &'p Policy) -> Option<&'p Tenant> {
        policy.tenant_by_id(self.tenant)
    }

    /// How old a version is, by what was noted of it.
    pub(super) fn recalled_age(&self, policy: &Policy, world: &dyn World, version: &str) -> Age {
        let by_its_name = self.noted_age(policy, world, version);
        let then = by_its_name.or_else(|| {
            let mut all = self.noted_ages(policy, world).into_iter();
            all.find_map(|(known, then)| (known == version).then_some(then))
        });
        then.map_or(Age::Unasked, |then| age(world, then))
    }

    /// When a version was published, by what was noted when it was asked for by its name.
    pub(super) fn noted_age(
        &self,
        policy: &Policy,
        world: &dyn World,
        version: &str,
    ) -> Option<u64> {
        let noted = world.recall(&self.age_key(policy, version))?;
        Some(u64::from_le_bytes(noted.as_slice().try_into().ok()?))
    }

    /// When the versions of the list were published, as far as that was noted.
    pub(super) fn noted_ages(&self, policy: &Policy, world: &dyn World) -> Vec<(String, u64)> {
        ages::recall(world, &self.ages_key(policy))
    }

    /// Notes when versions of the list were published.
    pub(super) fn note_ages<'v>(
        &self,
        policy: &Policy,
        world: &dyn World,
        ages: impl Iterator<Item = (&'v str, u64)>,
    ) {
        ages::note(world, &self.ages_key(policy), ages);
    }

    /// Whether the backend took long for ages lately.
    pub(super) fn is_slow(&self, policy: &Policy, world: &dyn World) -> bool {
        let noted = world.recall(&self.slow_key(policy));
        let then = noted.and_then(|bytes| bytes.as_slice().try_into().ok());
        then.zip(world.now())
            .is_some_and(|(then, now)| now.saturating_sub(u64::from_le_bytes(then)) < LATELY)
    }

    /// Notes that the backend takes long for ages.
    pub(super) fn note_slow(&self, policy: &Policy, world: &dyn World) {
        if let Some(now) = world.now().filter(|_| !self.is_slow(policy, world)) {
            world.note(&self.slow_key(policy), &now.to_le_bytes());
        }
    }

    /// How old a version is, by an answer that names it.
    pub(super) fn age_of(
        &self,
        policy: &Policy,
        world: &dyn World,
        info: &Info,
        last_modified: Option<&str>,
    ) -> Age {
        let then = self.published(policy, info, last_modified);
        then.map_or(Age::Unknown, |then| age(world, then))
    }

    /// The same by the version's own `.info`, which is noted: what another answer says of it holds for
    /// that answer only.
    pub(super) fn noted_age_of(
        &self,
        policy: &Policy,
        world: &dyn World,
        info: &Info,
        last_modified: Option<&str>,
    ) -> Age {
        if let Some(then) = self.published(policy, info, last_modified) {
            world.note(&self.age_key(policy, &info.version), &then.to_le_bytes());
        }
        self.age_of(policy, world, info, last_modified)
    }

    /// When a version was published, in seconds since 1970.
    pub(super) fn published(
        &self,
        policy: &Policy,
        info: &Info,
        last_modified: Option<&str>,
    ) -> Option<u64> {
        if self.is_age_by_header(policy) {
            return info::seconds_of_http_date(last_modified?);
        }
        info::seconds_of(info.time.as_deref()?)
    }

    fn backend<'p>(&self, policy: &'p Policy) -> Option<&'p Backend> {
        policy.backends().get(self.backend)
    }

    fn is_age_by_header(&self, policy: &Policy) -> bool {
        let backend = self.backend(policy);
        backend.is_some_and(|backend| backend.age_by_last_modified)
    }

    /// What is noted outlives the policy, so the key says all that it hangs on.
    fn age_key(&self, policy: &Policy, version: &str) -> String {
        let by = if self.is_age_by_header(policy) {
            "last-modified"
        } else {
            "time"
        };
        self.key(policy, by, &self.info(version))
    }

    fn ages_key(&self, policy: &Policy) -> String {
        let by = if self.is_age_by_header(policy) {
            "ages last-modified"
        } else {
            "ages time"
        };
        self.key(policy, by, &self.list())
    }

    fn slow_key(&self, policy: &Policy) -> String {
        let cluster = self.backend(policy).map_or("-", |b| b.cluster.as_str());
        format!("slow {cluster}")
    }

    /// A key for what is noted of a file. Two clusters may have two files under one path.
    pub(super) fn key(&self, policy: &Policy, what: &str, file: &Operation<'_>) -> String {
        let cluster = self.backend(policy).map_or("-", |b| b.cluster.as_str());
        format!("{what} {cluster} {}", self.path(file))
    }

    /// The backend's name, for people.
    pub(super) fn backend_name<'p>(&self, policy: &'p Policy) -> &'p str {
        self.backend(policy).map_or("-", |backend| &backend.name)
    }
}

/// How long ago that was.
pub(super) fn age(world: &dyn World, then: u64) -> Age {
    let now = world.now();
    now.map_or(Age::Unknown, |now| Age::Known(info::since(then, now)))
}
