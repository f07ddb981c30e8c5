//! What a backend's `.info` and `@latest` say of a version.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use modgate_go::gomod::fold_case;

/// The most bytes of an answer that are read; real ones have a few hundred.
pub(super) const MAX_INFO_BYTES: usize = 64 << 10;

/// The members that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) version: String,
    pub(super) time: Option<String>,
}

/// Reads an answer.
///
/// # Errors
/// The reason, in words, if it is not a JSON object with one `Version`. Go's decoder matches names in any
/// case and takes the last one, so an answer with two would have two readings.
pub(super) fn read(body: &[u8]) -> Result<Info, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

impl<'de> Deserialize<'de> for Info {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InfoVisitor)
    }
}

struct InfoVisitor;

impl<'de> Visitor<'de> for InfoVisitor {
    type Value = Info;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a Version")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Info, A::Error> {
        let (mut version, mut time) = (None, None);
        while let Some(key) = members.next_key::<String>()? {
            let folded: String = key.chars().map(fold_case).collect();
            let is = |name: &str| folded.chars().eq(name.chars().map(fold_case));
            let (place, name) = if is("Version") {
                (&mut version, "Version")
            } else if is("Time") {
                (&mut time, "Time")
            } else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            if place.replace(members.next_value()?).is_some() {
                return Err(A::Error::custom(format!("{name} stands in it twice")));
            }
        }
        // To Go, null means absent.
        let [version, time] = [version, time].map(Option::<Option<String>>::flatten);
        let version = version.ok_or_else(|| A::Error::missing_field("Version"))?;
        Ok(Info { version, time })
    }
}

/// The first second of 10 November 2009, when Go was published: no version of a module is older. Earlier
/// times are what programs write where they know none: Go's zero (year 1), Unix' (1970), that of DOS and
/// of zip files (1980, in western time zones 1979), and those of other epochs and of reproducible builds
/// in between.
const EARLIEST: u64 = 1_257_811_200;

/// Seconds since 1970 of a time as `.info` has it; `None` for one that says nothing. It is one by RFC 3339 and one to
/// the Go command (`time.Parse`), which knows no second 60: what either refuses tells no age.
pub(super) fn seconds_of(time: &str) -> Option<u64> {
    let (local, offset) = match time.strip_suffix('Z') {
        Some(local) => (local, 0),
        None => {
            let (local, zone) = time.split_at_checked(time.len().checked_sub(6)?)?;
            (local, offset_of(zone)?)
        }
    };
    let (whole, fraction) = local.split_at_checked("2006-01-02T15:04:05".len())?;
    let plain = |b: u8| b.is_ascii_digit() || b"-:T".contains(&b);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_fraction = fraction.is_empty() || fraction.strip_prefix('.').is_some_and(digits);
    // The library takes a second 60, and a dot without digits.
    if !whole.bytes().all(plain) || whole.ends_with(":60") || !is_fraction {
        return None;
    }
    let local = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    checked_time(unix_seconds(local)?.checked_add_signed(-offset)?)
}

/// Seconds east of Greenwich of `+hh:mm` or `-hh:mm`.
fn offset_of(zone: &str) -> Option<i64> {
    let (sign, hours_and_minutes) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = hours_and_minutes.split_once(':')?;
    let number = |text: &str, below: i64| -> Option<i64> {
        let is_number = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|n| is_number && *n < below)
    };
    Some(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60))
}

/// Seconds since 1970 of a date as HTTP headers have it, in each of its three forms (RFC 9110, section
/// 5.6.7); `None` for one that says nothing.
pub(super) fn seconds_of_http_date(date: &str) -> Option<u64> {
    checked_time(unix_seconds(httpdate::parse_http_date(date).ok()?)?)
}

/// A time, where it can be a version's.
fn checked_time(seconds: u64) -> Option<u64> {
    (seconds >= EARLIEST).then_some(seconds)
}

fn unix_seconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// The time from then to now; none has passed since what is to come.
pub(super) const fn since(then: u64, now: u64) -> Duration {
    Duration::from_secs(now.saturating_sub(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_one_reading() {
        let info =
            read(br#"{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z","Origin":{"VCS":"git"}}"#);
        let info = info.unwrap();
        assert_eq!(info.version, "v1.0.0");
        assert_eq!(info.time.as_deref(), Some("2024-01-02T03:04:05Z"));
        assert_eq!(read(br#"{"version":"v1.0.0"}"#).unwrap().time, None);
        let null = read(br#"{"Version":"v1.0.0","Time":null}"#);
        assert_eq!(null.unwrap().time, None);
        for bad in [
            &b""[..],
            b"v1.0.0",
            b"[]",
            b"{}",
            br#"{"Version":1}"#,
            br#"{"Version":null}"#,
            br#"{"Version":"v1.0.0","Time":1704153600}"#,
            br#"{"Version":"v1.0.0","Time":null,"Time":"2024-01-02T03:04:05Z"}"#,
            br#"{"Version":"v1.0.0","Version":"v1.0.0"}"#,
            br#"{"Version":"v1.0.0","version":"v2.0.0"}"#,
            "{\"Version\":\"v1.0.0\",\"Ver\u{17f}ion\":\"v2.0.0\"}".as_bytes(),
            br#"{"Version":"v1.0.0"} {"Version":"v2.0.0"}"#,
            b"{\"Version\":\"v1.0.0\xff\"}",
        ] {
            assert!(read(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn times_are_read_with_their_zone() {
        const THEN: u64 = 1_704_153_600;
        for time in [
            "2024-01-02T00:00:00Z",
            "2024-01-02T00:00:00.999999999Z",
            "2024-01-02T01:00:00.5+01:00",
            "2024-01-01T22:30:00-01:30",
            "2024-01-02T14:00:00+14:00",
        ] {
            assert_eq!(seconds_of(time), Some(THEN), "{time}");
        }
        for date in [
            "Tue, 02 Jan 2024 00:00:00 GMT",
            "Tuesday, 02-Jan-24 00:00:00 GMT",
            "Tue Jan  2 00:00:00 2024",
        ] {
            assert_eq!(seconds_of_http_date(date), Some(THEN), "{date}");
        }
        for bad in [
            "",
            "yesterday",
            "1970-01-02",
            "1970-01-02T00:00:00",
            "1970-01-02T00:00:00+1:00",
            "1970-01-02T00:00:00+25:00",
            "1970-01-02T00:00:00+01:60",
            "1970-01-02T00:00:00ZZ",
            "1970-02-30T00:00:00Z",
            "1970-01-02T00:00:00é+01:00",
            "2024-01-02",
            "2024-01-02T00:00:00",
        ] {
            assert_eq!(seconds_of(bad), None, "{bad}");
        }
        assert_eq!(since(10, 5), Duration::ZERO);
    }

    #[test]
    fn a_time_must_be_valid_for_go_and_for_rfc_3339() {
        // With what Go 1.26 makes of each in JSON.
        let rows = [
            ("leap second", "2016-12-31T23:59:60Z", false, false),
            ("second 60", "2024-01-02T00:00:60Z", false, false),
            ("second 60, zone", "2024-01-02T00:00:60+01:00", false, false),
            ("last second", "2024-01-02T00:00:59Z", true, true),
            ("hour 24", "2024-01-02T24:00:00Z", false, false),
            ("minute 60", "2024-01-02T23:60:00Z", false, false),
            (
                "many digits",
                "2024-01-02T00:00:00.12345678901Z",
                true,
                true,
            ),
            ("no digits", "2024-01-02T00:00:00.Z", false, false),
            ("two dots", "2024-01-02T00:00:00.5.5Z", false, false),
            ("comma", "2024-01-02T00:00:00,5Z", true, false),
            ("lower-case t", "2024-01-02t00:00:00Z", false, false),
            ("lower-case z", "2024-01-02T00:00:00z", false, false),
            ("a space for the T", "2024-01-02 00:00:00Z", false, false),
            ("one digit's hour", "2024-01-02T0:00:00Z", true, false),
            ("one digit's month", "2024-1-02T00:00:00Z", false, false),
            ("greatest offset", "2024-01-02T00:00:00+23:59", true, true),
            ("offset 24", "2024-01-02T00:00:00+24:00", true, false),
            (
                "offset of 60 minutes",
                "2024-01-02T00:00:00+01:60",
                true,
                false,
            ),
            ("offset 25", "2024-01-02T00:00:00+25:00", false, false),
            ("offset -0", "2024-01-02T00:00:00-00:00", true, true),
            ("offset, no colon", "2024-01-02T00:00:00+0100", false, false),
            ("leap day", "2024-02-29T00:00:00Z", true, true),
            ("no leap day", "2023-02-29T00:00:00Z", false, false),
            ("nor in 2100", "2100-02-29T00:00:00Z", false, false),
            ("month 0", "2024-00-01T00:00:00Z", false, false),
            ("day 0", "2024-01-00T00:00:00Z", false, false),
            ("year 9999", "9999-12-31T23:59:59-23:59", true, true),
            ("year 10000", "10000-01-01T00:00:00Z", false, false),
            ("signed year", "+2024-01-02T00:00:00Z", false, false),
            ("no seconds", "2024-01-02T00:00Z", false, false),
            ("a space before", " 2024-01-02T00:00:00Z", false, false),
            ("a space behind", "2024-01-02T00:00:00Z ", false, false),
        ];
        table_rows::check(rows, |(name, time, go, ours)| {
            assert_eq!(seconds_of(time).is_some(), ours, "{name}: {time}");
            assert!(go || !ours, "{name}: Go refuses {time}");
        });
    }

    #[test]
    fn placeholder_times_count_as_unknown() {
        for time in [
            "0001-01-01T00:00:00Z",      // Go
            "1601-01-01T00:00:00Z",      // Windows
            "1900-01-01T00:00:00Z",      // NTP
            "1904-01-01T00:00:00Z",      // macOS
            "1970-01-01T00:00:00Z",      // Unix
            "1970-01-01T01:00:00+01:00", // the same in Berlin
            "1970-01-01T00:00:01Z",      // Nix
            "1979-11-30T00:00:00Z",      // DOS, all bits zero
            "1979-12-31T16:00:00-08:00", // DOS in California
            "1980-01-01T00:00:00Z",      // DOS
            "1980-02-01T00:00:00Z",      // Gradle
            "1985-10-26T08:15:00Z",      // npm
            "2000-01-01T00:00:00Z",
            "2001-01-01T00:00:00Z", // Core Data
            "2009-11-09T23:59:59Z",
            "2009-11-10T01:00:00+02:00",
        ] {
            assert_eq!(seconds_of(time), None, "{time}");
        }
        assert_eq!(seconds_of("2009-11-10T00:00:00Z"), Some(EARLIEST));
        for date in [
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Fri, 30 Nov 1979 00:00:00 GMT",
            "Tue, 01 Jan 1980 00:00:00 GMT",
            "Tuesday, 01-Jan-80 00:00:00 GMT",
            "Tue Jan  1 00:00:00 1980",
            "Mon, 01 Jan 0001 00:00:00 GMT",
        ] {
            assert_eq!(seconds_of_http_date(date), None, "{date}");
        }
    }
}
