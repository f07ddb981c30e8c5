//! The numbers of the proxy-wasm ABI 0.2.1
//! (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>).

/// What a hostcall answers when it does not do what was requested (`proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Status {
    NotFound = 1,
    BadArgument = 2,
    SerializationFailure = 3,
    ParseFailure = 4,
    InvalidMemoryAccess = 6,
    Empty = 7,
    CasMismatch = 8,
    InternalFailure = 10,
    Unimplemented = 12,
}

/// `proxy_map_type_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapType {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcReceiveInitialMetadata,
    GrpcReceiveTrailingMetadata,
    CalloutHeaders,
    CalloutTrailers,
}

impl TryFrom<u32> for MapType {
    type Error = Status;

    fn try_from(number: u32) -> Result<Self, Status> {
        Ok(match number {
            0 => Self::RequestHeaders,
            1 => Self::RequestTrailers,
            2 => Self::ResponseHeaders,
            3 => Self::ResponseTrailers,
            4 => Self::GrpcReceiveInitialMetadata,
            5 => Self::GrpcReceiveTrailingMetadata,
            6 => Self::CalloutHeaders,
            7 => Self::CalloutTrailers,
            _ => return Err(Status::BadArgument),
        })
    }
}

/// `proxy_buffer_type_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BufferType {
    RequestBody,
    ResponseBody,
    DownstreamData,
    UpstreamData,
    CalloutBody,
    GrpcReceive,
    VmConfiguration,
    PluginConfiguration,
    CallData,
}

impl TryFrom<u32> for BufferType {
    type Error = Status;

    fn try_from(number: u32) -> Result<Self, Status> {
        Ok(match number {
            0 => Self::RequestBody,
            1 => Self::ResponseBody,
            2 => Self::DownstreamData,
            3 => Self::UpstreamData,
            4 => Self::CalloutBody,
            5 => Self::GrpcReceive,
            6 => Self::VmConfiguration,
            7 => Self::PluginConfiguration,
            8 => Self::CallData,
            _ => return Err(Status::BadArgument),
        })
    }
}

/// `proxy_stream_type_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamType {
    Request,
    Response,
    Downstream,
    Upstream,
}

impl TryFrom<u32> for StreamType {
    type Error = Status;

    fn try_from(number: u32) -> Result<Self, Status> {
        Ok(match number {
            0 => Self::Request,
            1 => Self::Response,
            2 => Self::Downstream,
            3 => Self::Upstream,
            _ => return Err(Status::BadArgument),
        })
    }
}

/// What a headers callback wants done (`proxy_action_t`, with the values that C++ and Rust know).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadersStatus {
    Continue,
    StopIteration,
    ContinueAndDontEndStream,
    StopAllIterationAndBuffer,
    StopAllIterationAndWatermark,
}

impl HeadersStatus {
    /// Envoy's reading: what is out of range, and any return after a local reply, stops everything;
    /// a plain stop does so too unless the plugin allows it to hold headers alone.
    pub(crate) const fn from_guest(result: u32, stopped: bool, allow_stop_iteration: bool) -> Self {
        match result {
            _ if stopped => Self::StopAllIterationAndWatermark,
            0 => Self::Continue,
            1 if allow_stop_iteration => Self::StopIteration,
            2 => Self::ContinueAndDontEndStream,
            3 => Self::StopAllIterationAndBuffer,
            _ => Self::StopAllIterationAndWatermark,
        }
    }
}

/// What a body callback wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataStatus {
    Continue,
    StopIterationAndBuffer,
    StopIterationAndWatermark,
    StopIterationNoBuffer,
}

impl DataStatus {
    pub(crate) const fn from_guest(result: u32, stopped: bool) -> Self {
        match result {
            _ if stopped => Self::StopIterationNoBuffer,
            0 => Self::Continue,
            1 => Self::StopIterationAndBuffer,
            2 => Self::StopIterationAndWatermark,
            _ => Self::StopIterationNoBuffer,
        }
    }
}

/// What a trailers callback wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrailersStatus {
    Continue,
    StopIteration,
}

impl TrailersStatus {
    pub(crate) const fn from_guest(result: u32, stopped: bool) -> Self {
        if result == 0 && !stopped {
            Self::Continue
        } else {
            Self::StopIteration
        }
    }
}
