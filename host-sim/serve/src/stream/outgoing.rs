//! What goes out: frames that wait until they are taken, one at a time.

use std::collections::VecDeque;

use bytes::Bytes;
use envoy_wasm_host::http::{Body, Headers};
use http::Response;
use http_body::Frame;
use tokio::sync::oneshot;

use crate::channel::{ChannelBody, Sender};
use crate::convert;

/// Frames on their way to one side, which takes them one at a time.
#[derive(Default)]
pub(super) struct Outgoing {
    pub sender: Option<Sender>,
    pub frames: VecDeque<Frame<Bytes>>,
    pub ended: bool,
}

impl Outgoing {
    pub(super) fn push(&mut self, data: Body) {
        self.frames.extend(data.into_chunks().map(Frame::data));
    }

    /// Trailers end what goes here.
    pub(super) fn push_trailers(&mut self, trailers: &Headers) {
        self.ended = true;
        if let Ok(trailers) = convert::header_map(trailers) {
            self.frames.push_back(Frame::trailers(trailers));
        }
    }

    /// Whether more may be read of what goes here.
    pub(super) fn has_room(&self) -> bool {
        self.frames.is_empty()
    }

    /// Sends one frame; false where nobody takes it.
    pub(super) async fn send_next(&mut self) -> bool {
        let Some(sender) = &self.sender else {
            self.frames.clear();
            return false;
        };
        let Ok(permit) = sender.reserve().await else {
            return false;
        };
        if let Some(frame) = self.frames.pop_front() {
            permit.send(Ok(frame));
        }
        true
    }

    /// Nobody wants the rest.
    pub(super) fn give_up(&mut self) {
        self.frames.clear();
        self.sender = None;
    }

    pub(super) fn close_if_done(&mut self) {
        if self.ended && self.frames.is_empty() {
            self.sender = None;
        }
    }
}

/// Sends the client a frame, or waits until it is gone, which false tells.
pub(super) async fn feed_client(
    respond: Option<&mut oneshot::Sender<Response<ChannelBody>>>,
    to_client: &mut Outgoing,
) -> bool {
    if let Some(respond) = respond {
        respond.closed().await;
        return false;
    }
    match &to_client.sender {
        Some(_) if !to_client.frames.is_empty() => to_client.send_next().await,
        Some(sender) => {
            sender.closed().await;
            false
        }
        None => std::future::pending().await,
    }
}
