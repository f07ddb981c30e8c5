//! What the VMs of all workers share, by the VM's id.

mod data;
mod queues;

pub(crate) use data::SharedData;
pub(crate) use queues::{Inbox, SharedQueues};
