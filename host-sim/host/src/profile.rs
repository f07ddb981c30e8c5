//! Versions of Envoy whose filters see different things. Each difference is a method here, and is requested
//! in one place.

/// As which Envoy a proxy behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 1.36 to 1.38.0.
    Envoy1_37,
    /// 1.38.1 to 1.40; the reference for everything else.
    #[default]
    Envoy1_40,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::Envoy1_37, Self::Envoy1_40];

    /// The name of every profile.
    pub const NAMES: [&str; 2] = [Self::ALL[0].name(), Self::ALL[1].name()];

    /// As which it is known: `envoy-1.40`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Envoy1_37 => "envoy-1.37",
            Self::Envoy1_40 => "envoy-1.40",
        }
    }

    /// Whether the proxy's answer for an upstream that cannot be reached says why. Since 1.38.1 only the
    /// access log does (`envoy.reloadable_features.hide_transport_failure_reason_in_response_body`).
    pub(crate) const fn tells_transport_failures(self) -> bool {
        matches!(self, Self::Envoy1_37)
    }
}
