//! One question of the filter's own to a backend: a callout, and those behind it where backends send it on.

use std::rc::Rc;

use modgate_engine::backend_query;
use modgate_engine::backend_query::{Client, QueryTarget, follow};
use modgate_engine::decision::RequestDecision;
use modgate_engine::reply::LocalReply;
use modgate_policy::model::{Backend, BackendId, Policy};

use crate::callout::{self, Answered, PATIENCE, Token};
use crate::host::Proxy;
use modgate_go::http::Header;

/// Whom the questions of one request are asked for, and of whom.
pub(crate) struct Asker {
    client: Client,
    /// The backend, and its cluster, or the one in which others stand in for it when it fails.
    backend: BackendId,
    cluster: String,
    pub(crate) has_stand_ins: bool,
    pub(crate) authority: String,
    /// What tells the user from others, for keys of what is remembered.
    pub(crate) user: String,
    headers: Vec<Header>,
}

impl Asker {
    pub(crate) fn new(
        policy: &Policy,
        (backend, cluster): (&Backend, &str),
        headers: &[Header],
        decision: &RequestDecision<'_>,
    ) -> Rc<Self> {
        let client = Client::of(headers, decision);
        let headers = client.headers(policy, backend);
        Rc::new(Self {
            backend: backend.id,
            has_stand_ins: cluster != backend.cluster,
            cluster: cluster.to_owned(),
            authority: client.authority(backend),
            user: backend_query::user_of(&headers),
            headers,
            client,
        })
    }
}

/// A question that is under way. Several can be at once. The answer to its callout goes on with it, or that
/// callout's time limit.
pub(crate) struct Question {
    asker: Rc<Asker>,
    awaited: Token,
    /// The most bytes of the answer that are read.
    limit: usize,
    /// Where it went, the last of which is asked now. Never empty.
    places: Vec<QueryTarget>,
}

/// What an answer to a callout led to.
pub(crate) enum Heard {
    /// It goes on to another place.
    Waits(Question),
    /// It is answered.
    Done(Answered),
}

impl Question {
    /// Asks the backend for a path, of which at most `limit` bytes are wanted. `Err` is what the client is
    /// answered where the proxy has no such cluster.
    pub(crate) fn ask(asker: &Rc<Asker>, path: String, limit: usize) -> Result<Self, LocalReply> {
        let headers = &asker.headers;
        let awaited = callout::get(&asker.cluster, &asker.authority, &path, headers, PATIENCE);
        let awaited = awaited
            .ok_or_else(|| LocalReply::unavailable("the proxy has no such cluster to ask"))?;
        let place = QueryTarget {
            backend: asker.backend,
            cluster: asker.cluster.clone(),
            path,
        };
        Ok(Self {
            asker: Rc::clone(asker),
            awaited,
            limit,
            places: vec![place],
        })
    }

    pub(crate) fn awaits(&self, token: Token) -> bool {
        self.awaited == token
    }

    /// Goes on with the answer that the proxy has just announced.
    pub(crate) fn answered(mut self, policy: &Policy, headers: usize, size: usize) -> Heard {
        let mut answered = Answered::read(headers, size, self.limit);
        answered.was_sent_on = self.places.len() > 1;
        let Some(status) = answered.status else {
            return Heard::Done(answered);
        };
        let redirect = (status, answered.headers.as_slice());
        let place = match follow(policy, &self.asker.client, &Proxy, &self.places, redirect) {
            Ok(None) => return Heard::Done(answered),
            Ok(Some(place)) => place,
            Err(why) => {
                answered.body = Err(why);
                return Heard::Done(answered);
            }
        };
        let asked = policy.backend(place.backend).and_then(|backend| {
            let client = &self.asker.client;
            let headers = client.headers(policy, backend);
            let authority = client.authority(backend);
            callout::get(&place.cluster, &authority, &place.path, &headers, PATIENCE)
        });
        let Some(awaited) = asked else {
            answered.body =
                Err("it redirects to a cluster that the proxy does not have".to_owned());
            return Heard::Done(answered);
        };
        self.awaited = awaited;
        self.places.push(place);
        Heard::Waits(self)
    }
}
