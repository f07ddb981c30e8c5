//! One query of the filter's own to a backend: a callout, and those behind it where backends redirect it.

use std::rc::Rc;

use modgate_engine::decision::Judgement;
use modgate_engine::question;
use modgate_engine::question::{Client, Place, follow};
use modgate_go::http::Header;
use modgate_policy::model::{Backend, Policy};

use crate::callout::{ReceivedResponse, TIMEOUT};
use crate::host::{Attributes, CalloutRequest, CalloutResponse, Host, Refused};
use crate::wake::PendingCall;

/// For whom the queries of one request are sent, and to whom.
pub(crate) struct Requester {
    client: Client,
    /// The backend's place among the policy's, and its cluster, or the failover cluster that begins with it.
    backend: usize,
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
        judgement: &Judgement<'_>,
    ) -> Rc<Self> {
        let client = Client::of(headers, judgement);
        let headers = client.headers(policy, backend);
        Rc::new(Self {
            backend: backend.id,
            has_failover: cluster != backend.cluster,
            cluster: cluster.to_owned(),
            authority: client.authority(backend),
            user: question::user_of(&headers),
            headers,
            client,
        })
    }
}

/// A query that is under way. Several can be at once.
pub(crate) struct BackendQuery {
    requester: Rc<Requester>,
    /// The number by which the engine knows it.
    pub(crate) number: usize,
    /// The most bytes of the response that are read.
    limit: usize,
    /// Where it went, the last of which is queried now. Never empty.
    places: Vec<Place>,
}

/// What a response to a callout led to.
pub(crate) enum QueryProgress {
    /// It goes on to another place.
    Redirected(PendingCall, BackendQuery),
    /// It has its response.
    Done(ReceivedResponse),
}

impl BackendQuery {
    /// Requests a path of the backend.
    ///
    /// # Errors
    /// Where the proxy has no such cluster.
    pub(crate) fn start(
        host: &dyn Host,
        requester: &Rc<Requester>,
        question: modgate_engine::lookup::Question,
    ) -> Result<(PendingCall, Self), Refused> {
        let request = CalloutRequest {
            cluster: &requester.cluster,
            authority: &requester.authority,
            path: &question.path,
            headers: &requester.headers,
            timeout: TIMEOUT,
        };
        let call = PendingCall::start(host, &request)?;
        let place = Place {
            backend: requester.backend,
            cluster: requester.cluster.clone(),
            path: question.path,
        };
        let query = Self {
            requester: Rc::clone(requester),
            number: question.number,
            limit: question.limit,
            places: vec![place],
        };
        Ok((call, query))
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
    fn start_at(&self, (host, policy): (&dyn Host, &Policy), place: &Place) -> Option<PendingCall> {
        let backend = policy.backends().get(place.backend)?;
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
