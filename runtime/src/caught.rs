//! The game's own code, where it is called in the middle of what is done for others: the answer to a request on the thread of
//! the loop or of the log, the sink of a recording inside a commit, a waker on the thread of the time-outs.
//!
//! A panic of such code is told and ends here. If it went on, it would take the thread along, and with it the answers of
//! everybody else.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls the `code` of `whose`. If it panics, that is told, and the error is what the panic said.
pub(crate) fn caught<R>(whose: &str, code: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let said = panic_message(payload.as_ref());
        tracing::error!(panic = %said, "{whose} panicked");
        said
    })
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text =
        payload.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_ends_here_and_is_told() {
        assert_eq!(caught("this test", || 7), Ok(7));
        assert_eq!(caught("this test", || std::panic::panic_any("a word")), Err::<(), _>("a word".to_owned()));
        let number = 3;
        assert_eq!(caught("this test", || panic!("{number} words")), Err::<(), _>("3 words".to_owned()));
        assert_eq!(caught("this test", || std::panic::panic_any(3)), Err::<(), _>("without a message".to_owned()));
    }
}
