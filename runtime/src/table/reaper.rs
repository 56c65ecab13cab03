//! Dropping large things off the loop's thread: giving a hundred megabytes back to the system takes milliseconds.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Builder;

/// What is going to be dropped: nobody asks what it was.
type Garbage = Box<dyn Send>;

/// Drops `garbage` on a thread of its own, or here if there can be none.
pub(crate) fn drop_later(garbage: impl Send + 'static) {
    static REAPER: OnceLock<Option<Mutex<Sender<Garbage>>>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let (sender, receiver) = channel::<Garbage>();
        let thread = Builder::new().name("dbgen-reaper".to_owned());
        thread.spawn(move || receiver.into_iter().for_each(drop)).ok().map(|_| Mutex::new(sender))
    });
    if let Some(sender) = reaper {
        let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be sent comes back in the error, and is dropped with it.
        drop(sender.send(Box::new(garbage)));
    }
}

#[cfg(test)]
mod tests {
    use super::drop_later;
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{ThreadId, current};

    struct SaysWhere(Sender<ThreadId>);

    impl Drop for SaysWhere {
        fn drop(&mut self) {
            self.0.send(current().id()).expect("somebody listens");
        }
    }

    #[test]
    fn what_is_dropped_later_is_dropped_elsewhere() {
        let (sender, receiver) = channel();
        drop_later(SaysWhere(sender));
        assert_ne!(receiver.recv().expect("it is dropped"), current().id());
    }
}
