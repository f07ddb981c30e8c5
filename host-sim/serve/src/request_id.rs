//! Request ids.

use uuid::Builder;

/// A random UUID of version 4, as Envoy makes them. It tells requests apart; it is no secret, and no
/// request waits for the system's random bytes.
pub(super) fn new() -> String {
    let random = fastrand::u128(..).to_ne_bytes();
    Builder::from_random_bytes(random).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_look_like_uuids_and_differ() {
        let (a, b) = (super::new(), super::new());
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(a.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&a.as_bytes()[19]));
    }
}
