//! A message's body that is fed from another task, one frame ahead at most.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// The stream was reset: the message has no orderly end.
#[derive(Debug, thiserror::Error)]
#[error("the stream was reset")]
pub(super) struct Reset;

pub(super) type Sender = mpsc::Sender<Result<Frame<Bytes>, Reset>>;

/// A body whose frames come through a channel, or an empty one.
#[derive(Debug)]
pub(super) struct ChannelBody(Option<mpsc::Receiver<Result<Frame<Bytes>, Reset>>>);

impl ChannelBody {
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// The sender finds the channel closed when nobody wants the body any more.
    pub(super) fn new() -> (Sender, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Self(Some(receiver)))
    }
}

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        match &mut self.0 {
            Some(receiver) => receiver.poll_recv(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self.0 {
            Some(_) => http_body::SizeHint::default(),
            None => http_body::SizeHint::with_exact(0),
        }
    }
}
