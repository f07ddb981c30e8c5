//! One request on its way: the task that moves bytes between client, worker and upstream.

mod incoming;
mod outgoing;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::incoming::{FromUpstream, Upstream, answer_of, next_frame};
use self::outgoing::{Outgoing, feed_client};
use modgate_go::http::wire::HOST_METADATA;

use crate::effect::{Direction, LogLevel, StreamEffect, StreamId};
use crate::http::Headers;
use crate::properties::Value;
use crate::serve::access::AccessRecord;
use crate::serve::channel::{ChannelBody, Reset};
use crate::serve::convert;
use crate::serve::shared::Shared;
use crate::serve::upstream::{Upstreams, body_failure, peer_of};
use crate::serve::vm::Vm;
use crate::worker::UpstreamFailure;

/// One request on its way.
pub(in crate::serve) struct StreamTask {
    pub vm: Rc<Vm>,
    pub shared: std::sync::Arc<Shared>,
    pub upstreams: Rc<Upstreams>,
    pub id: StreamId,
    pub client: SocketAddr,
    pub http1: bool,
    pub idle: Duration,
}

struct Running {
    task: StreamTask,
    effects: mpsc::UnboundedReceiver<StreamEffect>,
    respond: Option<oneshot::Sender<Response<ChannelBody>>>,
    request: Option<Incoming>,
    read_request: bool,
    read_response: bool,
    upstream: Upstream,
    to_upstream: Outgoing,
    to_client: Outgoing,
    ended: bool,
}

impl StreamTask {
    /// Runs until the response is with the client, or the client is gone.
    pub(in crate::serve) async fn run(
        self,
        effects: mpsc::UnboundedReceiver<StreamEffect>,
        headers: Headers,
        body: Incoming,
        respond: oneshot::Sender<Response<ChannelBody>>,
    ) {
        let end_stream = body.is_end_stream();
        let mut running = Running {
            effects,
            respond: Some(respond),
            request: (!end_stream).then_some(body),
            read_request: true,
            read_response: true,
            upstream: Upstream::Idle,
            to_upstream: Outgoing::default(),
            to_client: Outgoing::default(),
            ended: false,
            task: self,
        };
        let id = running.task.id;
        let vm = Rc::clone(&running.task.vm);
        vm.with(|worker| worker.request_headers(id, headers, end_stream));
        running.run().await;
    }
}

impl Running {
    async fn run(&mut self) {
        let mut idle = Instant::now() + self.task.idle;
        loop {
            while let Ok(effect) = self.effects.try_recv() {
                self.apply(effect);
            }
            self.to_upstream.close_if_done();
            self.to_client.close_if_done();
            if self.ended && self.to_client.sender.is_none() {
                return;
            }
            let waits_for_upstream = !self.to_upstream.has_room();
            let takes_request = self.read_request && self.to_upstream.has_room();
            let takes_response = self.read_response && self.to_client.has_room();
            tokio::select! {
                effect = self.effects.recv(), if !self.ended => match effect {
                    Some(effect) => self.apply(effect),
                    None => self.ended = true,
                },
                alive = feed_client(self.respond.as_mut(), &mut self.to_client) => {
                    if !alive {
                        let id = self.task.id;
                        self.task.vm.with(|worker| worker.downstream_closed(id));
                        self.abandon();
                    }
                }
                alive = self.to_upstream.send_next(), if waits_for_upstream => {
                    if !alive {
                        self.to_upstream.give_up();
                    }
                }
                frame = next_frame(self.request.as_mut()), if takes_request => {
                    self.request_frame(frame);
                }
                answer = answer_of(&mut self.upstream), if takes_response => {
                    self.answered(answer);
                }
                () = tokio::time::sleep_until(idle) => {
                    let id = self.task.id;
                    self.task.vm.with(|worker| worker.idle_timeout(id));
                    if self.ended {
                        self.abandon();
                    }
                }
            }
            idle = Instant::now() + self.task.idle;
        }
    }

    /// The client is gone, or takes nothing any more.
    fn abandon(&mut self) {
        self.ended |= self.effects.is_closed();
        self.respond = None;
        self.to_client = Outgoing::default();
        while let Ok(effect) = self.effects.try_recv() {
            if let StreamEffect::Ended { .. } = effect {
                self.apply(effect);
            }
        }
        self.ended = true;
    }

    fn apply(&mut self, effect: StreamEffect) {
        match effect {
            StreamEffect::UpstreamHeaders {
                cluster,
                headers,
                end_stream,
            } => self.send_upstream(&cluster, &headers, end_stream),
            StreamEffect::UpstreamData { data, end_stream } => {
                self.to_upstream.push(data);
                self.to_upstream.ended |= end_stream;
            }
            StreamEffect::UpstreamTrailers { trailers } => {
                self.to_upstream.push_trailers(&trailers);
            }
            StreamEffect::DownstreamHeaders {
                headers,
                end_stream,
                request_unfinished,
            } => self.respond(&headers, end_stream, request_unfinished),
            StreamEffect::DownstreamData { data, end_stream } => {
                self.to_client.push(data);
                self.to_client.ended |= end_stream;
            }
            StreamEffect::DownstreamTrailers { trailers } => {
                self.to_client.push_trailers(&trailers);
            }
            StreamEffect::DownstreamReset => self.reset(),
            StreamEffect::Paused { .. } | StreamEffect::Resumed { .. } => {}
            StreamEffect::StopReading { direction } => *self.reading(direction) = false,
            StreamEffect::ResumeReading { direction } => *self.reading(direction) = true,
            StreamEffect::Ended { summary } => {
                self.ended = true;
                self.request = None;
                self.upstream = Upstream::Idle;
                if !self.to_upstream.ended {
                    // The upstream must not take what came for the whole.
                    let sender = self.to_upstream.sender.take();
                    _ = sender.map(|sender| sender.try_send(Err(Reset)));
                }
                self.to_upstream = Outgoing::default();
                let record = AccessRecord::new(self.task.client, *summary);
                self.task.shared.record(&record);
            }
        }
    }

    fn reading(&mut self, direction: Direction) -> &mut bool {
        match direction {
            Direction::Request => &mut self.read_request,
            Direction::Response => &mut self.read_response,
        }
    }

    fn send_upstream(&mut self, cluster: &str, headers: &Headers, end_stream: bool) {
        let (sender, body) = match end_stream {
            true => (None, ChannelBody::empty()),
            false => {
                let (sender, body) = ChannelBody::new();
                (Some(sender), body)
            }
        };
        self.to_upstream.sender = sender;
        self.to_upstream.ended = end_stream;
        match self.task.upstreams.send(cluster, headers, body) {
            Ok(answer) => self.upstream = Upstream::Waiting(Box::pin(answer)),
            Err(reason) => {
                let line = format!("the request cannot be sent to {cluster}: {reason}");
                self.task.shared.log_repeated(LogLevel::Warn, &line);
                self.fail_upstream(&UpstreamFailure::Protocol);
            }
        }
    }

    fn respond(&mut self, headers: &Headers, end_stream: bool, request_unfinished: bool) {
        let (sender, body) = match end_stream {
            true => (None, ChannelBody::empty()),
            false => {
                let (sender, body) = ChannelBody::new();
                (Some(sender), body)
            }
        };
        let close = request_unfinished && self.task.http1;
        match convert::client_response(headers, body, close) {
            Ok(response) => {
                self.to_client.sender = sender;
                self.to_client.ended = end_stream;
                // Where the client has gone, its going is seen next.
                _ = self.respond.take().map(|respond| respond.send(response));
            }
            Err(reason) => {
                let line = format!("the response cannot be sent: {reason}");
                self.task.shared.log_repeated(LogLevel::Warn, &line);
                self.reset();
            }
        }
    }

    /// Closes the stream towards the client without an orderly end.
    fn reset(&mut self) {
        self.respond = None;
        if let Some(sender) = self.to_client.sender.take() {
            tokio::task::spawn_local(async move {
                // Behind the frame that is under way, if the client still takes it.
                _ = sender.send(Err(Reset)).await;
            });
        }
        self.to_client = Outgoing::default();
    }

    fn request_frame(&mut self, frame: Option<Result<Frame<Bytes>, hyper::Error>>) {
        let id = self.task.id;
        let vm = Rc::clone(&self.task.vm);
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => vm.with(|worker| worker.request_body(id, data, false)),
            Some(Ok(Err(frame))) => {
                self.request = None;
                let trailers = frame
                    .trailers_ref()
                    .map(convert::trailers)
                    .unwrap_or_default();
                vm.with(|worker| worker.request_trailers(id, trailers));
            }
            Some(Err(_)) => {
                self.request = None;
                vm.with(|worker| worker.downstream_closed(id));
            }
            None => {
                self.request = None;
                vm.with(|worker| worker.request_body(id, Bytes::new(), true));
            }
        }
    }

    fn answered(&mut self, answer: FromUpstream) {
        let id = self.task.id;
        let vm = Rc::clone(&self.task.vm);
        match answer {
            FromUpstream::Headers(Ok(answer)) => {
                let response = answer.response;
                let metadata = answer.backend.map(|backend| {
                    let [namespace, key] = HOST_METADATA;
                    let named = vec![(key.to_owned(), Value::text(backend))];
                    (namespace.to_owned(), Value::Map(named))
                });
                let attempts = answer.attempts;
                let headers = convert::response_headers(&response);
                let peer = peer_of(&response);
                let body = response.into_body();
                let end_stream = body.is_end_stream();
                self.upstream = match end_stream {
                    true => Upstream::Idle,
                    false => Upstream::Answering(body),
                };
                vm.with(|worker| {
                    if let Some(peer) = peer {
                        worker.upstream_address(id, peer);
                    }
                    worker.upstream_host(id, metadata.into_iter().collect(), attempts);
                    worker.response_headers(id, headers, end_stream);
                });
            }
            FromUpstream::Headers(Err(failure)) => self.fail_upstream(&failure),
            FromUpstream::Frame(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => vm.with(|worker| worker.response_body(id, data, false)),
                Err(frame) => {
                    self.upstream = Upstream::Idle;
                    let trailers = frame
                        .trailers_ref()
                        .map(convert::trailers)
                        .unwrap_or_default();
                    vm.with(|worker| worker.response_trailers(id, trailers));
                }
            },
            FromUpstream::Frame(Some(Err(error))) => self.fail_upstream(&body_failure(&error)),
            FromUpstream::Frame(None) => {
                self.upstream = Upstream::Idle;
                vm.with(|worker| worker.response_body(id, Bytes::new(), true));
            }
        }
    }

    fn fail_upstream(&mut self, failure: &UpstreamFailure) {
        self.upstream = Upstream::Idle;
        if let UpstreamFailure::Connect(reason) = failure {
            let line = format!("an upstream cannot be reached: {reason}");
            self.task.shared.log_repeated(LogLevel::Warn, &line);
        }
        let id = self.task.id;
        self.task
            .vm
            .with(|worker| worker.upstream_failed(id, failure));
    }
}
