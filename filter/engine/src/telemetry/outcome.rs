//! The outcome of a request.

/// The value of the label `outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// A whole answer, or a redirect.
    Ok,
    /// 404 or 410: Go's ordinary answer for a missing module or version.
    NotFound,
    /// Refused by the policy.
    Denied,
    /// A file with a wrong hash that did not reach the client whole.
    Integrity,
    /// Any other 4xx.
    ClientError,
    /// Any 5xx but 504.
    UpstreamError,
    /// 408 or 504.
    Timeout,
    /// The answer began, and the backend broke it off.
    Truncated,
    /// The client went away before the end.
    Aborted,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Completely.
    Complete,
    /// It broke off, and the client was still there.
    Broken,
    /// The client went away.
    ClientGone,
}

impl Outcome {
    /// The outcome of an answer by a backend, or by the proxy in its place; `status` is `None` if no answer
    /// began.
    pub const fn of_answer(status: Option<u16>, ending: Ending) -> Self {
        match (status, ending) {
            (_, Ending::ClientGone) => Self::Aborted,
            (None, _) => Self::UpstreamError,
            (Some(404 | 410), _) => Self::NotFound,
            (Some(408 | 504), _) => Self::Timeout,
            (Some(400..=499), _) => Self::ClientError,
            (Some(500..), _) => Self::UpstreamError,
            (Some(_), Ending::Broken) => Self::Truncated,
            (Some(_), Ending::Complete) => Self::Ok,
        }
    }

    /// The value of the label `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Integrity => "integrity",
            Self::ClientError => "client_error",
            Self::UpstreamError => "upstream_error",
            Self::Timeout => "timeout",
            Self::Truncated => "truncated",
            Self::Aborted => "aborted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_module_is_not_a_failure_but_a_truncated_answer_is() {
        let of = |status, ending| Outcome::of_answer(status, ending).as_str();
        assert_eq!(of(Some(200), Ending::Complete), "ok");
        assert_eq!(of(Some(301), Ending::Complete), "ok");
        assert_eq!(of(Some(200), Ending::Broken), "truncated");
        assert_eq!(of(Some(200), Ending::ClientGone), "aborted");
        assert_eq!(of(Some(404), Ending::Complete), "not_found");
        assert_eq!(of(Some(410), Ending::Complete), "not_found");
        assert_eq!(of(Some(429), Ending::Complete), "client_error");
        assert_eq!(of(Some(503), Ending::Complete), "upstream_error");
        assert_eq!(of(Some(504), Ending::Complete), "timeout");
        assert_eq!(of(None, Ending::Broken), "upstream_error");
    }
}
