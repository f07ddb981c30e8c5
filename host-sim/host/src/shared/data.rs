//! The key-value store with compare-and-swap (proxy-wasm-cpp-host, `src/shared_data.cc`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::types::Status;

/// A value and the number that a compare-and-swap must name; never 0.
pub(crate) type Versioned = (Bytes, u32);

#[derive(Debug, Default)]
struct Store {
    by_vm: HashMap<String, HashMap<Vec<u8>, Versioned>>,
    last_cas: u32,
    /// Writes that named a version.
    swaps: u64,
    /// The one before which another worker writes.
    contended: Option<u64>,
}

impl Store {
    fn next_version(&mut self) -> u32 {
        self.last_cas = self.last_cas.wrapping_add(1).max(1);
        self.last_cas
    }

    fn write_again(&mut self, vm_id: &str, key: &[u8]) {
        let version = self.next_version();
        let held = self.by_vm.get_mut(vm_id).and_then(|keys| keys.get_mut(key));
        if let Some((_, current)) = held {
            *current = version;
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct SharedData(Mutex<Store>);

impl SharedData {
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Result<Versioned, Status> {
        let store = self.lock();
        let value = store.by_vm.get(vm_id).and_then(|keys| keys.get(key));
        value.cloned().ok_or(Status::NotFound)
    }

    /// Writes the value; `cas` 0 writes whatever is there.
    pub(crate) fn set(
        &self,
        vm_id: &str,
        key: &[u8],
        value: &[u8],
        cas: u32,
    ) -> Result<(), Status> {
        let mut store = self.lock();
        store.swaps += u64::from(cas != 0);
        if cas != 0 && store.contended == Some(store.swaps) {
            store.write_again(vm_id, key);
        }
        let held = store.by_vm.get(vm_id).and_then(|keys| keys.get(key));
        if held.is_some_and(|(_, current)| cas != 0 && cas != *current) {
            return Err(Status::CasMismatch);
        }
        let version = store.next_version();
        let keys = store.by_vm.entry(vm_id.to_owned()).or_default();
        keys.insert(key.to_owned(), (Bytes::copy_from_slice(value), version));
        Ok(())
    }

    /// Lets another worker write the value that is there once more, right before this write that names
    /// a version; they are counted from 1.
    pub(crate) fn contend(&self, write: u64) {
        self.lock().contended = Some(write);
    }

    /// How many writes named a version so far.
    pub(crate) fn swaps(&self) -> u64 {
        self.lock().swaps
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_and_swap() {
        let data = SharedData::default();
        assert_eq!(data.get("vm", b"k"), Err(Status::NotFound));
        data.set("vm", b"k", b"1", 7).unwrap();
        let (value, cas) = data.get("vm", b"k").unwrap();
        assert_eq!((value.as_ref(), cas), (&b"1"[..], 1));
        assert_eq!(data.set("vm", b"k", b"2", 9), Err(Status::CasMismatch));
        data.set("vm", b"k", b"2", cas).unwrap();
        data.set("vm", b"k", b"3", 0).unwrap();
        assert_eq!(data.get("vm", b"k").unwrap(), ("3".into(), 3));
        assert_eq!(data.get("other", b"k"), Err(Status::NotFound));
    }
}
