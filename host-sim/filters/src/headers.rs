//! Headers that a filter may write, and hosts may read otherwise.

use proxy_wasm::hostcalls;
use proxy_wasm::types::MapType;

/// Writes what the path names. What the host answers is no matter: what comes out is.
pub(crate) fn write(map: MapType, path: &str) {
    let request = matches!(map, MapType::HttpRequestHeaders);
    let add = |name: &str, value: &str| {
        let _ = hostcalls::add_map_value(map, name, value);
    };
    let set = |name: &str, value: &str| {
        let _ = hostcalls::set_map_value(map, name, Some(value));
    };
    match path {
        "/upper" => add("X-Odd-Upper", "Yes"),
        "/empty" => add("x-odd", ""),
        "/twice" => {
            add("x-odd", "a");
            add("x-odd", "b");
        }
        "/replaces" => set("x-many", "one"),
        "/removes" => {
            let _ = hostcalls::remove_map_value(map, "x-many");
        }
        "/spaces" => add("x-odd", "  a  b  "),
        "/tab" => add("x-odd", "a\tb"),
        "/bytes" => {
            let _ = hostcalls::add_map_value_bytes(map, "x-odd", &[b'a', 0xff, 0xe4]);
        }
        "/long" => add("x-odd", &"a".repeat(20_000)),
        "/many" => {
            for number in 0..40 {
                add(&format!("x-odd-{number}"), "1");
            }
        }
        "/method" if request => set(":method", "ODD"),
        "/head" if request => set(":method", "HEAD"),
        "/authority" if request => set(":authority", "other.example"),
        "/scheme" if request => set(":scheme", "https"),
        "/path" if request => set(":path", "/elsewhere?a=b"),
        "/status" if !request => set(":status", "299"),
        "/no-content" if !request => set(":status", "204"),
        "/host" => add("host", "third.example"),
        "/content-type" => set("content-type", "text/odd"),
        _ => {}
    }
}
