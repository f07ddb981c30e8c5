//! What a filter may do that no filter should.

/// What this filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// Holds every request at its headers and lets none go.
    HoldsRequests,
    /// Holds every response at its headers and lets none go.
    HoldsResponses,
    /// Holds a body until its end, and says how long it was.
    HoldsBodies,
    /// Holds a request until the next tick.
    WaitsForATick,
    /// Answers a request twice.
    RepliesTwice,
    /// Answers in a request's body.
    RepliesInABody,
    /// Answers when the response's headers have come.
    RepliesToAResponse,
    /// Answers when the response's headers are out.
    RepliesTooLate,
    /// Closes the stream in the request's body.
    ClosesInARequest,
    /// Closes the stream in the response's body.
    ClosesInAResponse,
    /// Sets headers that are out already.
    WritesHeadersLate,
    /// Doubles every chunk of every body.
    GrowsBodies,
    /// Answers every body with nothing.
    EmptiesBodies,
    /// Adds trailers where there were none.
    AddsTrailers,
    /// Writes the header that the path names, into request and response.
    WritesHeaders,
    /// Lets a request go on and then holds it, in the same callback.
    ContinuesAndHolds,
    /// Lets a request go on twice in a tick, and again when its answer comes.
    ContinuesTwice,
    /// Holds a response's headers and body until its end.
    HoldsWholeResponses,
    /// Changes bodies that it holds, from outside the callbacks that hold them.
    EditsHeldBodies,
    /// Puts something before the first chunk and behind the last, and holds every second one.
    WrapsBodies,
    /// Takes the status out of the response.
    LosesTheStatus,
    /// Takes the path out of the request.
    LosesThePath,
    /// Panics at the headers of `/trap`.
    TrapsInHeaders,
    /// Panics at the headers of `/trap`, and holds others where their paths say.
    TrapsWhileOthersWait,
    /// Panics in the response's body.
    TrapsInABody,
    /// Asks `side` before a request goes on.
    Asks,
    /// Asks `side`, and answers with what it hears.
    Relays,
    /// Asks a cluster that does not exist.
    AsksNobody,
    /// Asks by a gRPC call, and answers with what it hears.
    CallsGrpc,
    /// Calls again from the answer to a gRPC call.
    CallsGrpcTwice,
    /// Gives a gRPC call up when the request's body comes, and again.
    CancelsGrpc,
    /// Sends two messages over a gRPC stream and closes it.
    StreamsGrpc,
    /// Sends a message over a gRPC stream for each that comes, and closes it after the second.
    TalksGrpc,
    /// Gives a gRPC stream up at its first message, and again.
    CancelsGrpcStreams,
    /// Says which configuration it has: `tags NAME`.
    Tags,
    /// Writes a number of 32 bits into the data that all filters of its `vm_id` share: `shares KEY NUMBER`.
    Shares,
    /// Refuses its configuration.
    Refuses,
    /// Refuses its configuration in every VM but the first so many: `refuses after N`.
    RefusesLater,
    /// Panics in its configuration in every VM but the first so many: `traps after N`.
    TrapsLater,
    /// Panics in its configuration.
    TrapsInItsConfiguration,
}

impl Oddity {
    /// Whether it asks by gRPC.
    pub(crate) const fn is_grpc(self) -> bool {
        matches!(
            self,
            Self::CallsGrpc
                | Self::CallsGrpcTwice
                | Self::CancelsGrpc
                | Self::StreamsGrpc
                | Self::TalksGrpc
                | Self::CancelsGrpcStreams
        )
    }

    /// By its name in a configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "holds requests" => Self::HoldsRequests,
            "holds responses" => Self::HoldsResponses,
            "holds bodies" => Self::HoldsBodies,
            "waits for a tick" => Self::WaitsForATick,
            "replies twice" => Self::RepliesTwice,
            "replies in a body" => Self::RepliesInABody,
            "replies to a response" => Self::RepliesToAResponse,
            "replies too late" => Self::RepliesTooLate,
            "closes in a request" => Self::ClosesInARequest,
            "closes in a response" => Self::ClosesInAResponse,
            "writes headers late" => Self::WritesHeadersLate,
            "grows bodies" => Self::GrowsBodies,
            "empties bodies" => Self::EmptiesBodies,
            "adds trailers" => Self::AddsTrailers,
            "writes headers" => Self::WritesHeaders,
            "continues and holds" => Self::ContinuesAndHolds,
            "continues twice" => Self::ContinuesTwice,
            "holds whole responses" => Self::HoldsWholeResponses,
            "edits held bodies" => Self::EditsHeldBodies,
            "wraps bodies" => Self::WrapsBodies,
            "loses the status" => Self::LosesTheStatus,
            "loses the path" => Self::LosesThePath,
            "traps in headers" => Self::TrapsInHeaders,
            "traps while others wait" => Self::TrapsWhileOthersWait,
            "traps in a body" => Self::TrapsInABody,
            "asks" => Self::Asks,
            "relays" => Self::Relays,
            "asks nobody" => Self::AsksNobody,
            "calls gRPC" => Self::CallsGrpc,
            "calls gRPC twice" => Self::CallsGrpcTwice,
            "cancels gRPC" => Self::CancelsGrpc,
            "streams gRPC" => Self::StreamsGrpc,
            "talks gRPC" => Self::TalksGrpc,
            "cancels gRPC streams" => Self::CancelsGrpcStreams,
            "refuses" => Self::Refuses,
            "traps in its configuration" => Self::TrapsInItsConfiguration,
            later if later.starts_with("refuses after ") => Self::RefusesLater,
            later if later.starts_with("traps after ") => Self::TrapsLater,
            tags if tags.starts_with("tags ") => Self::Tags,
            shares if shares.starts_with("shares ") => Self::Shares,
            _ => return None,
        })
    }
}
