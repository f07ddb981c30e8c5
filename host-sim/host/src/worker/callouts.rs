//! Answers to the filter's own requests.

use super::Worker;
use super::streams::UpstreamFailure;
use crate::effect::{CalloutToken, Effect};
use crate::host::CurrentAnswer;
use crate::http::{Body, Headers};

/// What `proxy_get_status` says of a callout that broke off: `WasmResult::BrokenConnection`.
const BROKEN_CONNECTION: u32 = 11;

/// What came of a callout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalloutAnswer {
    /// A response. `:status` is among its headers.
    Response {
        /// The headers.
        headers: Headers,
        /// The whole body.
        body: Body,
        /// Where there were some.
        trailers: Option<Headers>,
    },
    /// None. The filter gets what Envoy's router makes of it: a response with a status of 503 or
    /// 504 and Envoy's own text; of one that has [begun](Worker::callout_begun) it is `BrokenOff`.
    Failed(UpstreamFailure),
    /// One that is cut off after its headers. The filter is called with sizes of 0 and can read
    /// nothing (`Context::onHttpCallFailure`).
    BrokenOff,
}

impl Worker {
    /// The answer's headers have come: if it is given up from now on, it is cut off.
    pub fn callout_begun(&mut self, token: CalloutToken) {
        if let Some(pending) = self.host().callouts.get_mut(token.0) {
            pending.begun = true;
        }
    }

    /// Hands an answer to the filter: `on_http_call_response` on its root context.
    pub fn callout_answered(&mut self, token: CalloutToken, answer: CalloutAnswer) {
        let Some(pending) = self.host().callouts.remove(token.0) else {
            return;
        };
        let root = pending.root;
        let profile = self.proxy().config().profile;
        let answer = match answer {
            CalloutAnswer::Response {
                headers,
                body,
                trailers,
            } => Some((headers, body, trailers)),
            CalloutAnswer::Failed(_) if pending.begun => None,
            // Whatever the proxy answers its clients, Envoy's callouts know 503 only.
            CalloutAnswer::Failed(failure) => {
                let (headers, body) = failure.reply(503, profile).into_message(false);
                Some((headers, Body::from(body), None))
            }
            CalloutAnswer::BrokenOff => None,
        };
        if answer.is_none()
            && let Some(context) = self.host().contexts.root_mut(root)
        {
            context.status_code = BROKEN_CONNECTION;
            "reset".clone_into(&mut context.status_message);
        }
        let answer = answer.map(|(headers, body, trailers)| CurrentAnswer {
            root,
            headers,
            body,
            trailers,
        });
        let size = |of: &dyn Fn(&CurrentAnswer) -> usize| {
            u32::try_from(answer.as_ref().map_or(0, of)).unwrap_or(u32::MAX)
        };
        let params = (
            root,
            token.0,
            size(&|answer| answer.headers.len()),
            size(&|answer| answer.body.len()),
            size(&|answer| answer.trailers.as_ref().map_or(0, Headers::len)),
        );
        self.host().callouts.show(answer);
        let export = self.guest.exports().on_http_call_response.clone();
        self.guest
            .call("proxy_on_http_call_response", root, export, params);
        self.host().callouts.show(None);
        if let Some(context) = self.host().contexts.root_mut(root) {
            context.status_message.clear();
        }
        self.run_actions();
    }

    pub(super) fn cancel_callouts_of(&mut self, root: u32) {
        let host = self.host();
        let mut of_root: Vec<u32> = host.callouts.of_root(root).collect();
        of_root.extend(host.grpc.of_root(root));
        of_root.sort_unstable();
        for token in of_root {
            if host.callouts.remove(token).is_some() {
                host.effects
                    .push_back(Effect::CancelCallout(CalloutToken(token)));
            }
            host.drop_grpc(token);
        }
    }
}
