//! `proxy_get_buffer_bytes`, `proxy_get_buffer_status`, `proxy_set_buffer_bytes`,
//! `proxy_get_configuration`.

use bytes::Bytes;

use super::call::{Call, Outcome};
use crate::host::{CurrentGrpc, Host};
use crate::http::Body;
use crate::memory::GuestSlice;
use crate::types::BufferType;
use crate::types::Status;

/// What a buffer's number stands for at this moment.
enum Buffer<'a> {
    /// A body, which can be changed.
    Body(&'a mut Body),
    /// The answer's body, which cannot.
    Fixed(&'a Body),
    Bytes(&'a [u8]),
    /// One that Envoy hands out even where nothing is in it.
    Empty,
}

impl Buffer<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Body(body) => body.len(),
            Self::Fixed(body) => body.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Empty => 0,
        }
    }

    fn copy_range(&self, start: usize, length: usize) -> Bytes {
        match self {
            Self::Body(body) => body.copy_range(start, length),
            Self::Fixed(body) => body.copy_range(start, length),
            Self::Bytes(bytes) => {
                let start = start.min(bytes.len());
                let end = start.saturating_add(length).min(bytes.len());
                Bytes::copy_from_slice(bytes.get(start..end).unwrap_or_default())
            }
            Self::Empty => Bytes::new(),
        }
    }
}

fn buffer(host: &mut Host, buffer: BufferType) -> Result<Buffer<'_>, Status> {
    let root = host.contexts.acting_root();
    Ok(match buffer {
        BufferType::RequestBody => match host
            .contexts
            .acting_stream_mut()
            .and_then(|s| s.request.visible_body())
        {
            Some(body) => Buffer::Body(body),
            None => Buffer::Empty,
        },
        BufferType::ResponseBody => match host
            .contexts
            .acting_stream_mut()
            .and_then(|s| s.response.visible_body())
        {
            Some(body) => Buffer::Body(body),
            None => Buffer::Empty,
        },
        BufferType::CalloutBody => {
            let answer = host.callouts.shown_to(root).ok_or(Status::NotFound)?;
            Buffer::Fixed(&answer.body)
        }
        BufferType::VmConfiguration => Buffer::Bytes(&host.config.configuration),
        BufferType::PluginConfiguration => {
            let plugin = host.contexts.configuring();
            Buffer::Bytes(&plugin.ok_or(Status::NotFound)?.plugin.configuration)
        }
        BufferType::GrpcReceive => match host.grpc.shown_to(root) {
            Some(CurrentGrpc::Message(message)) => Buffer::Bytes(message),
            _ => Buffer::Empty,
        },
        BufferType::DownstreamData | BufferType::UpstreamData | BufferType::CallData => {
            Buffer::Empty
        }
    })
}

/// Hands over `length` bytes from `start` on, and fewer where there are fewer.
pub(super) fn get_buffer(
    call: &mut Call<'_>,
    kind: u32,
    start: u32,
    length: u32,
    to: u32,
    to_size: u32,
) -> Outcome {
    let kind = BufferType::try_from(kind)?;
    let found = buffer(call.host(), kind)?;
    let data = found.copy_range(start as usize, length as usize);
    call.hand_over(&data, to, to_size)
}

pub(super) fn get_buffer_status(
    call: &mut Call<'_>,
    kind: u32,
    to_size: u32,
    to_flags: u32,
) -> Outcome {
    let kind = BufferType::try_from(kind)?;
    let size = buffer(call.host(), kind)?.len();
    call.write(to_size, u32::try_from(size).unwrap_or(u32::MAX))?;
    call.write(to_flags, 0_u32)
}

/// Replaces from the start, puts before, or appends: all that Envoy's buffers know. A range that
/// starts or ends in the middle is refused.
pub(super) fn set_buffer(
    call: &mut Call<'_>,
    kind: u32,
    start: u32,
    length: u32,
    data: u32,
    size: u32,
) -> Outcome {
    let kind = BufferType::try_from(kind)?;
    buffer(call.host(), kind)?;
    let data = call.copy(GuestSlice::new(data, size))?;
    let Buffer::Body(body) = buffer(call.host(), kind)? else {
        return Err(Status::BadArgument.into());
    };
    match (start as usize, length as usize) {
        (0, 0) => body.push_front(data),
        (0, length) if length >= body.len() => {
            body.take();
            body.push(data);
        }
        (start, _) if start > 0 && start >= body.len() => body.push(data),
        _ => return Err(Status::BadArgument.into()),
    }
    Ok(())
}

/// ABI 0.1.0: the plugin's configuration where one is being handed over, else the VM's.
pub(super) fn get_configuration(call: &mut Call<'_>, to: u32, to_size: u32) -> Outcome {
    let host = call.host();
    let plugin = host.contexts.configuring();
    let configuration = match plugin {
        Some(root) => root.plugin.configuration.clone(),
        None => host.config.configuration.clone(),
    };
    call.hand_over(&configuration, to, to_size)
}
