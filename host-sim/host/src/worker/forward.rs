//! What has passed the filter: a request goes to the router, a response to the client.

use super::Worker;
use crate::context::{Flags, Stream};
use crate::effect::{Direction, StreamEffect};
use crate::http::{Body, Headers};
use crate::local_reply::LocalReply;
use crate::proxy::Route;

/// Without these a request cannot be sent (`HeaderUtility::checkRequiredRequestHeaders`).
const REQUIRED: [&str; 3] = [":method", ":path", ":authority"];

impl Worker {
    pub(super) fn forward_headers(&mut self, id: u32, direction: Direction, end_stream: bool) {
        match direction {
            Direction::Request => self.route_request(id, end_stream),
            Direction::Response => self.send_response_headers(id, end_stream),
        }
    }

    /// The router: finds the cluster, or answers.
    fn route_request(&mut self, id: u32, end_stream: bool) {
        let proxy = self.proxy().clone();
        let config = proxy.config();
        let Some(stream) = self.live(id) else {
            return;
        };
        let cluster = stream.cluster(config);
        stream.route = Some(cluster.clone());
        let Some(cluster) = cluster else {
            stream.info.flags.set(Flags::NO_ROUTE);
            let reply = LocalReply::new(404, "", "route_not_found");
            return self.send_local_reply(id, reply);
        };
        if !proxy.has_cluster(&cluster) {
            stream.info.flags.set(Flags::NO_CLUSTER);
            let reply = LocalReply::new(503, "", "cluster_not_found");
            return self.send_local_reply(id, reply);
        }
        let headers = stream.request.headers.get_or_insert_default();
        if let Some(missing) = REQUIRED.iter().find(|name| headers.get(name).is_none()) {
            let text = format!("missing required header: {missing}");
            let details = format!(
                "filter_removed_required_request_headers{{missing_required_header:_{missing}}}"
            );
            return self.send_local_reply(id, LocalReply::new(503, text, &details));
        }
        if let Route::ClusterHeader(name) = &config.route {
            headers.remove(name);
        }
        let headers = headers.clone();
        stream.request.sent_end = end_stream;
        stream.info.cluster = Some(cluster.clone());
        stream.info.upstream_started = Some(proxy.now());
        let effect = StreamEffect::UpstreamHeaders {
            cluster,
            headers,
            end_stream,
        };
        self.host().emit(id, effect);
    }

    fn send_response_headers(&mut self, id: u32, end_stream: bool) {
        let Some(stream) = self.live(id) else {
            return;
        };
        let headers = stream.response.headers.get_or_insert_default();
        let Some(status) = headers.status() else {
            let text = "missing required header: :status";
            let details =
                "filter_removed_required_response_headers{missing_required_header:_:status}";
            return self.send_local_reply(id, LocalReply::new(502, text, details));
        };
        let headers = headers.clone();
        stream.info.status = Some(status);
        stream.response_started = true;
        let effect = StreamEffect::DownstreamHeaders {
            headers,
            end_stream,
            request_unfinished: !stream.request.complete,
        };
        self.host().emit(id, effect);
        if end_stream {
            self.finish(id);
        }
    }

    pub(super) fn forward_data(&mut self, id: u32, direction: Direction, data: Body, end: bool) {
        let Some(stream) = self.live(id) else {
            return;
        };
        if data.is_empty() && !end {
            return;
        }
        let effect = match direction {
            Direction::Request if !takes_request(stream) => return,
            Direction::Request => {
                stream.request.sent_end = end;
                StreamEffect::UpstreamData {
                    data,
                    end_stream: end,
                }
            }
            Direction::Response => {
                stream.info.response_bytes += data.len() as u64;
                StreamEffect::DownstreamData {
                    data,
                    end_stream: end,
                }
            }
        };
        self.host().emit(id, effect);
        if end && direction == Direction::Response {
            self.finish(id);
        }
    }

    pub(super) fn forward_trailers(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.live(id) else {
            return;
        };
        let trailers = stream.half(direction).trailers.clone().unwrap_or_default();
        let effect = match direction {
            Direction::Request if !takes_request(stream) => return,
            Direction::Request => {
                stream.request.sent_end = true;
                request_end(trailers)
            }
            Direction::Response => response_end(trailers),
        };
        self.host().emit(id, effect);
        if direction == Direction::Response {
            self.finish(id);
        }
    }
}

/// Whether there is an upstream that has not received the request's end.
fn takes_request(stream: &Stream) -> bool {
    stream.info.upstream_started.is_some() && !stream.request.sent_end
}

/// Trailers from which everything was removed are an empty end of the body.
fn request_end(trailers: Headers) -> StreamEffect {
    if trailers.is_empty() {
        return StreamEffect::UpstreamData {
            data: Body::new(),
            end_stream: true,
        };
    }
    StreamEffect::UpstreamTrailers { trailers }
}

fn response_end(trailers: Headers) -> StreamEffect {
    if trailers.is_empty() {
        return StreamEffect::DownstreamData {
            data: Body::new(),
            end_stream: true,
        };
    }
    StreamEffect::DownstreamTrailers { trailers }
}
