//! The hashes under which files were seen first, in the memory that all workers share.

use modgate_go::gomod::H1;
use modgate_go::integrity::{Checked, Record, Remembered, Seen, Share};

use crate::active_policy::Context;
use crate::host::Host;
use crate::shared;

/// Looks up the hash under which a file was seen first, and remembers this one where there is none and
/// there is room.
pub(super) fn remember(context: Context<'_>, checked: &Checked, h1: H1) -> Remembered {
    let host = context.host;
    let Some(secret) = context.active.worker.secret(host) else {
        return Remembered::NoRoom;
    };
    let record = Record::of(checked, &secret);
    let key = record.key();
    let place = shared::get(host, &key).unwrap_or_default();
    match record.look_up(&place, h1) {
        Seen::Before(known) => return Remembered::Before(known),
        Seen::NoRoom => return Remembered::NoRoom,
        Seen::New(_) => {}
    }
    if !has_room(host, &record) {
        return Remembered::NoRoom;
    }
    let remembered = shared::change(host, &key, |place| match record.look_up(place, h1) {
        Seen::Before(known) => (Remembered::Before(known), None),
        Seen::New(new) => (Remembered::Now, Some(new)),
        Seen::NoRoom => (Remembered::NoRoom, None),
    });
    if let Some(Remembered::Now) = remembered {
        for key in record.count_keys() {
            shared::count(host, &key);
        }
    }
    remembered.unwrap_or(Remembered::NoRoom)
}

/// Whether there is room for one more record. Two workers may take the last one both: a place has room
/// for more than its share.
fn has_room(host: &dyn Host, record: &Record) -> bool {
    let count = |key: &str| shared::get(host, key).map_or(0, |value| shared::number(&value));
    let [all, tenant, module] = record.count_keys();
    let share = Share {
        all: count(&all),
        tenant: count(&tenant),
        module: count(&module),
    };
    share.has_room()
}
