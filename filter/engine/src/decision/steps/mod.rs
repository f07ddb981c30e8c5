//! The steps of a decision, in order. A step turns the result of the one before into its own, or into a local
//! reply.

mod database;
mod head;
mod integrity;
mod operation;
mod path;
mod route;
mod rules;
mod split;
mod tenant;
mod upstream;

pub(super) use database::database;
pub(super) use head::{RequestLine, head};
pub(super) use integrity::integrity;
pub(super) use operation::{ParsedRequest, operation};
pub(super) use path::path;
pub(super) use route::route;
pub(super) use rules::{Allowed, rules};
pub(super) use split::{LookupSpec, split};
pub(super) use tenant::{Client, tenant};
pub(super) use upstream::upstream;

use super::evaluate::Sender;
use super::request_head::RequestHead;
use crate::reply::{Footer, LocalReply};
use modgate_go::goproxy::RequestError;
use modgate_policy::model::Policy;

/// What every step can use.
pub(super) struct Context<'p, 'r> {
    pub(super) policy: &'p Policy,
    pub(super) head: &'r RequestHead<'r>,
    pub(super) sender: &'r Sender<'p, 'r>,
    /// The last lines of a reply's text.
    pub(super) footer: Footer<'r>,
}

impl Context<'_, '_> {
    fn bad(&self, refusal: RequestError) -> LocalReply {
        LocalReply::bad_request(refusal, self.footer)
    }
}
