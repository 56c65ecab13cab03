//! How far something is that takes longer than a second.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long nothing is shown.
const QUIET: Duration = Duration::from_secs(1);

/// A bar on standard error, once it is worth one, and only if somebody looks.
pub(crate) struct Bar {
    bar: ProgressBar,
    name: &'static str,
}

impl Bar {
    /// A bar that is not shown yet.
    pub(crate) fn new(name: &'static str) -> Bar {
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{msg} {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Bar { bar, name }
    }

    /// So many bytes of so many are done.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.add(done);
    }

    /// So many bytes are done.
    pub(crate) fn add(&self, done: u64) {
        if self.bar.is_hidden() && self.bar.elapsed() > QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.set_message(self.name);
        }
        self.bar.set_position(done);
    }

    /// It is done, or never will be.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
