//! Which contexts a VM has, and the one that it acts for.

use std::collections::{BTreeMap, HashMap};

use crate::context::{Root, Stream};

/// The context of the VM itself, in which it is initialised.
pub(crate) const VM_CONTEXT: u32 = 0;

/// The contexts of a VM: its plugins' roots and its streams, which share one row of ids.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    roots: BTreeMap<u32, Root>,
    streams: HashMap<u32, Stream>,
    last: u32,
    acting: Acting,
    /// The root context whose configuration can be read.
    configuring: Option<u32>,
}

/// The context that hostcalls act for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acting {
    /// The context that the guest was called for.
    called: u32,
    /// The context that the guest chose to act for.
    chosen: Option<u32>,
}

impl Contexts {
    /// An id that no context has; roots and streams are counted together.
    fn next_id(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.exists(self.last) {
                return self.last;
            }
        }
    }

    pub(crate) fn add_root(&mut self, root: Root) -> u32 {
        let id = self.next_id();
        self.roots.insert(id, root);
        id
    }

    /// A stream of the root context that it names, which lives as long as its last stream.
    pub(crate) fn add_stream(&mut self, stream: Stream) -> u32 {
        let id = self.next_id();
        if let Some(root) = self.roots.get_mut(&stream.root) {
            root.streams += 1;
        }
        self.streams.insert(id, stream);
        id
    }

    pub(crate) fn remove_root(&mut self, id: u32) -> Option<Root> {
        self.roots.remove(&id)
    }

    pub(crate) fn remove_stream(&mut self, id: u32) -> Option<Stream> {
        let stream = self.streams.remove(&id)?;
        if let Some(root) = self.roots.get_mut(&stream.root) {
            root.streams = root.streams.saturating_sub(1);
        }
        Some(stream)
    }

    pub(crate) fn root(&self, id: u32) -> Option<&Root> {
        self.roots.get(&id)
    }

    pub(crate) fn root_mut(&mut self, id: u32) -> Option<&mut Root> {
        self.roots.get_mut(&id)
    }

    pub(crate) fn stream_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.streams.get_mut(&id)
    }

    /// The roots, as they were made.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (u32, &Root)> {
        self.roots.iter().map(|(id, root)| (*id, root))
    }

    /// As [`Contexts::roots`], to be changed.
    pub(crate) fn roots_mut(&mut self) -> impl Iterator<Item = (u32, &mut Root)> {
        self.roots.iter_mut().map(|(id, root)| (*id, root))
    }

    /// The streams that live, in no order.
    pub(crate) fn streams(&self) -> impl ExactSizeIterator<Item = (u32, &Stream)> {
        self.streams.iter().map(|(id, stream)| (*id, stream))
    }

    fn exists(&self, id: u32) -> bool {
        id == VM_CONTEXT || self.roots.contains_key(&id) || self.streams.contains_key(&id)
    }

    /// The guest is called for this context; what is returned goes to [`Contexts::leave`] afterwards.
    pub(crate) fn enter(&mut self, id: u32) -> Acting {
        let called = Acting {
            called: id,
            chosen: None,
        };
        std::mem::replace(&mut self.acting, called)
    }

    /// The call that `outer` was taken for has returned.
    pub(crate) fn leave(&mut self, outer: Acting) {
        self.acting = outer;
    }

    /// The guest acts for this context until its callback returns; false where there is no such context.
    pub(crate) fn act_for(&mut self, id: u32) -> bool {
        let exists = self.exists(id);
        if exists {
            self.acting.chosen = Some(id);
        }
        exists
    }

    /// The context that hostcalls act for.
    pub(crate) fn acting(&self) -> u32 {
        let chosen = self.acting.chosen.filter(|id| self.exists(*id));
        chosen.unwrap_or(self.acting.called)
    }

    /// The stream that hostcalls act for, where they act for one.
    pub(crate) fn acting_stream(&self) -> Option<&Stream> {
        self.streams.get(&self.acting())
    }

    /// As [`Contexts::acting_stream`], to be changed.
    pub(crate) fn acting_stream_mut(&mut self) -> Option<&mut Stream> {
        let id = self.acting();
        self.streams.get_mut(&id)
    }

    /// The root context that hostcalls act for, or act beneath.
    pub(crate) fn acting_root(&self) -> u32 {
        let stream = self.acting_stream();
        stream.map_or_else(|| self.acting(), |stream| stream.root)
    }

    /// The configuration of this root context can be read from now on, or of none.
    pub(crate) fn configure(&mut self, root: Option<u32>) {
        self.configuring = root;
    }

    /// The root context whose configuration can be read: in `on_context_create` and `on_configure` only.
    pub(crate) fn configuring(&self) -> Option<&Root> {
        self.configuring.and_then(|id| self.roots.get(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Downstream, PluginConfig, StreamInfo};

    fn stream_of(root: u32) -> Stream {
        Stream::new(root, Downstream::default(), StreamInfo::default())
    }

    #[test]
    fn an_id_that_lives_is_not_given_again_when_the_count_wraps() {
        let mut contexts = Contexts::default();
        assert_eq!(contexts.add_root(Root::new(PluginConfig::default())), 1);
        contexts.last = u32::MAX;
        assert_eq!(contexts.add_stream(stream_of(1)), 2);
    }

    #[test]
    fn a_chosen_context_holds_for_its_callback_and_while_it_is_there() {
        let mut contexts = Contexts::default();
        let root = contexts.add_root(Root::new(PluginConfig::default()));
        let stream = contexts.add_stream(stream_of(root));
        let outer = contexts.enter(root);
        assert!(!contexts.act_for(9));
        assert_eq!((contexts.acting(), contexts.acting_root()), (root, root));
        assert!(contexts.act_for(stream));
        assert_eq!((contexts.acting(), contexts.acting_root()), (stream, root));
        contexts.remove_stream(stream);
        assert_eq!(contexts.acting(), root);
        contexts.leave(outer);
        assert_eq!(contexts.acting(), VM_CONTEXT);
    }
}
