//! Queues between VMs (proxy-wasm-cpp-host, `src/shared_queue.cc`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::types::Status;

/// A queue has something for one of a worker's root contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueEvent {
    pub root: u32,
    pub queue: u32,
}

/// Where a worker finds the events that other workers left for it, and how it is woken.
#[derive(Default)]
pub(crate) struct Inbox {
    events: Mutex<VecDeque<QueueEvent>>,
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Inbox {
    pub(crate) fn new(wake: Option<Box<dyn Fn() + Send + Sync>>) -> Self {
        Self {
            events: Mutex::default(),
            wake,
        }
    }

    pub(crate) fn pop(&self) -> Option<QueueEvent> {
        self.lock().pop_front()
    }

    fn push(&self, event: QueueEvent) {
        self.lock().push_back(event);
        if let Some(wake) = &self.wake {
            wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<QueueEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Inbox").field(&self.lock().len()).finish()
    }
}

#[derive(Debug)]
struct Queue {
    items: VecDeque<Vec<u8>>,
    root: u32,
    owner: Arc<Inbox>,
}

#[derive(Debug, Default)]
struct Queues {
    tokens: HashMap<(String, Vec<u8>), u32>,
    queues: HashMap<u32, Queue>,
}

#[derive(Debug, Default)]
pub(crate) struct SharedQueues(Mutex<Queues>);

impl SharedQueues {
    /// The queue's number; who registers last is notified of items. What is in the queue stays.
    pub(crate) fn register(&self, vm_id: &str, name: &[u8], root: u32, owner: &Arc<Inbox>) -> u32 {
        let mut all = self.lock();
        let next = u32::try_from(all.tokens.len() + 1).unwrap_or(u32::MAX);
        let key = (vm_id.to_owned(), name.to_owned());
        let token = *all.tokens.entry(key).or_insert(next);
        let queue = all.queues.entry(token).or_insert_with(|| Queue {
            items: VecDeque::new(),
            root,
            owner: Arc::clone(owner),
        });
        queue.root = root;
        queue.owner = Arc::clone(owner);
        token
    }

    pub(crate) fn resolve(&self, vm_id: &str, name: &[u8]) -> Result<u32, Status> {
        let key = (vm_id.to_owned(), name.to_owned());
        self.lock()
            .tokens
            .get(&key)
            .copied()
            .ok_or(Status::NotFound)
    }

    pub(crate) fn dequeue(&self, token: u32) -> Result<Vec<u8>, Status> {
        let mut all = self.lock();
        let queue = all.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.items.pop_front().ok_or(Status::Empty)
    }

    pub(crate) fn enqueue(&self, token: u32, item: &[u8]) -> Result<(), Status> {
        let mut all = self.lock();
        let queue = all.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.items.push_back(item.to_owned());
        queue.owner.push(QueueEvent {
            root: queue.root,
            queue: token,
        });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_wait_and_the_owner_is_notified_of_each() {
        let queues = SharedQueues::default();
        let inbox = Arc::new(Inbox::default());
        let token = queues.register("vm", b"q", 1, &inbox);
        assert_eq!(queues.resolve("vm", b"q"), Ok(token));
        assert_eq!(queues.resolve("other", b"q"), Err(Status::NotFound));
        assert_eq!(queues.dequeue(token), Err(Status::Empty));
        assert_eq!(queues.dequeue(token + 1), Err(Status::NotFound));
        assert_eq!(queues.enqueue(token + 1, b"x"), Err(Status::NotFound));
        queues.enqueue(token, b"a").unwrap();
        queues.enqueue(token, b"b").unwrap();
        let event = QueueEvent {
            root: 1,
            queue: token,
        };
        assert_eq!((inbox.pop(), inbox.pop()), (Some(event), Some(event)));
        assert_eq!(inbox.pop(), None);
        assert_eq!(queues.register("vm", b"q", 2, &inbox), token);
        assert_eq!(queues.dequeue(token).unwrap(), b"a");
    }
}
