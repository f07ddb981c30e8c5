//! What happened, in a line each.

use envoy_wasm_host::{Crossing, Direction, StreamEffect, http::Headers};

/// How much of a text a line shows, in characters.
const SHOWN: usize = 60;

pub(super) fn crossing(crossing: &Crossing) -> String {
    match crossing {
        Crossing::Called {
            callback,
            context,
            arguments,
        } => {
            // One argument alone has no brackets.
            let arguments = arguments.trim_matches(['(', ')']);
            format!("-> {callback}({arguments}) for context {context}")
        }
        Crossing::Returned {
            callback,
            result,
            fuel,
        } => {
            let result = result.as_deref().unwrap_or("failed");
            let fuel = fuel.map(|fuel| format!(", {fuel} fuel"));
            format!("<- {callback}: {result}{}", fuel.unwrap_or_default())
        }
        Crossing::Hostcall {
            name,
            arguments,
            status,
        } => {
            let status = status.map_or_else(|| "failed".to_owned(), |status| status.to_string());
            format!("   {name}({}) = {status}", arguments.join(", "))
        }
    }
}

pub(super) fn effect(effect: &StreamEffect) -> String {
    match effect {
        StreamEffect::UpstreamHeaders {
            cluster,
            headers,
            end_stream,
        } => format!(
            "upstream {cluster} gets {}{}",
            list(headers),
            end(*end_stream)
        ),
        StreamEffect::UpstreamData { data, end_stream } => {
            format!("upstream gets {} bytes{}", data.len(), end(*end_stream))
        }
        StreamEffect::UpstreamTrailers { trailers } => {
            format!("upstream gets trailers {}", list(trailers))
        }
        StreamEffect::DownstreamHeaders {
            headers,
            end_stream,
            ..
        } => format!("client gets {}{}", list(headers), end(*end_stream)),
        StreamEffect::DownstreamData { data, end_stream } => {
            format!("client gets {} bytes{}", data.len(), end(*end_stream))
        }
        StreamEffect::DownstreamTrailers { trailers } => {
            format!("client gets trailers {}", list(trailers))
        }
        StreamEffect::DownstreamReset => "client is reset".to_owned(),
        StreamEffect::Paused { direction, at } => {
            format!("{} is held at its {at:?}", half(*direction)).to_lowercase()
        }
        StreamEffect::Resumed { direction } => format!("{} goes on", half(*direction)),
        StreamEffect::StopReading { direction } => format!("{} is read no more", half(*direction)),
        StreamEffect::ResumeReading { direction } => format!("{} is read again", half(*direction)),
        StreamEffect::Ended { summary } => format!("stream ends: {}", summary.code_details),
    }
}

pub(super) const fn half(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "request",
        Direction::Response => "response",
    }
}

pub(super) const fn end(end_stream: bool) -> &'static str {
    if end_stream { " and its end" } else { "" }
}

/// Headers in one line, each cut where it is long.
pub(super) fn list(headers: &Headers) -> String {
    let pairs = headers.iter().map(|(name, value)| {
        let (name, value) = (shown(name), shown(value));
        format!("{name}: {value}")
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

fn shown(bytes: &[u8]) -> String {
    super::shown::shown(&String::from_utf8_lossy(bytes), SHOWN)
}
