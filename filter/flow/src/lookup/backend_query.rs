//! One query of the filter's own to a backend: a callout, and those behind it where backends redirect it.

use std::rc::Rc;

use modgate_engine::backend_query;
use modgate_engine::backend_query::{Client, QueryTarget, follow};
use modgate_engine::decision::RequestDecision;
use modgate_engine::lookup::{BackendQuery, QueryId};
use modgate_go::http::Header;
use modgate_policy::model::{Backend, BackendId, Policy};

use crate::callout::{ReceivedResponse, TIMEOUT};
use crate::host::{Attributes, CalloutRequest, CalloutResponse, Host, Refused};
use crate::wake::PendingCall;

/// For whom the queries of one request are sent, and to whom.
pub(crate) struct Requester {
    client: Client,
    /// The backend, and its cluster, or the failover cluster that begins with it.
    backend: BackendId,
    cluster: String,
    pub(crate) has_failover: bool,
    pub(crate) authority: String,
    /// What tells the user from others, for keys of what is shared.
    pub(crate) user: String,
    headers: Vec<Header>,
}

impl Requester {
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
            has_failover: cluster != backend.cluster,
            cluster: cluster.to_owned(),
            authority: client.authority(backend),
            user: backend_query::user_of(&headers),
            headers,
            client,
        })
    }
}

/// A query that is under way. Several can be at once.
pub(crate) struct RunningQuery {
    requester: Rc<Requester>,
    /// By what the engine knows it.
    pub(crate) id: QueryId,
    /// The most bytes of the response that are read.
    limit: usize,
    /// Where it went, the last of which is queried now. Never empty.
    places: Vec<QueryTarget>,
}

/// What a response to a callout led to.
pub(crate) enum QueryProgress {
    /// It goes on to another place.
    Redirected(PendingCall, RunningQuery),
    /// It has its response.
    Done(ReceivedResponse),
}

impl RunningQuery {
    /// Requests a path of the backend.
    ///
    /// # Errors
    /// Where the proxy has no such cluster.
    pub(crate) fn start(
        host: &dyn Host,
        requester: &Rc<Requester>,
        query: BackendQuery,
    ) -> Result<(PendingCall, Self), Refused> {
        let request = CalloutRequest {
            cluster: &requester.cluster,
            authority: &requester.authority,
            path: &query.path,
            headers: &requester.headers,
            timeout: TIMEOUT,
        };
        let call = PendingCall::start(host, &request)?;
        let place = QueryTarget {
            backend: requester.backend,
            cluster: requester.cluster.clone(),
            path: query.path,
        };
        let running = Self {
            requester: Rc::clone(requester),
            id: query.id,
            limit: query.limit,
            places: vec![place],
        };
        Ok((call, running))
    }

    /// Goes on with the response that the proxy has just announced.
    pub(crate) fn on_callout_response(
        mut self,
        (host, policy): (&dyn Host, &Policy),
        response: CalloutResponse,
    ) -> QueryProgress {
        let mut received = ReceivedResponse::read(host, response, self.limit);
        received.was_redirected = self.places.len() > 1;
        let Some(status) = received.status else {
            return QueryProgress::Done(received);
        };
        let redirect = (status, received.headers.as_slice());
        let client = &self.requester.client;
        let place = match follow(policy, client, &Attributes(host), &self.places, redirect) {
            Ok(None) => return QueryProgress::Done(received),
            Ok(Some(place)) => place,
            Err(why) => {
                received.body = Err(why);
                return QueryProgress::Done(received);
            }
        };
        match self.start_at((host, policy), &place) {
            Some(call) => {
                self.places.push(place);
                QueryProgress::Redirected(call, self)
            }
            None => {
                let why = "it redirects to a cluster that the proxy does not have";
                received.body = Err(why.to_owned());
                QueryProgress::Done(received)
            }
        }
    }

    /// Requests the same of the place that it is redirected to.
    fn start_at(
        &self,
        (host, policy): (&dyn Host, &Policy),
        place: &QueryTarget,
    ) -> Option<PendingCall> {
        let backend = policy.backend(place.backend)?;
        let client = &self.requester.client;
        let request = CalloutRequest {
            cluster: &place.cluster,
            authority: &client.authority(backend),
            path: &place.path,
            headers: &client.headers(policy, backend),
            timeout: TIMEOUT,
        };
        PendingCall::start(host, &request).ok()
    }
}
