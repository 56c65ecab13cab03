//! How far something is that takes longer than a second.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dbgen_runtime::storage::{Disk, RealStorage, Watched};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long nothing is shown.
const QUIET: Duration = Duration::from_secs(1);

/// A bar on standard error, once it is worth one, and only if somebody looks. Clones are the same bar.
#[derive(Clone)]
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

    /// A bar for reading a data folder, and the files of the system, which move it.
    pub(crate) fn reading(name: &'static str, data: &Path) -> (Bar, Watched<RealStorage>) {
        let bar = Bar::new(name);
        let moved = bar.clone();
        bar.bar.set_length(bytes_below(data));
        let files = Watched::new(RealStorage, move |read| moved.more(read));
        (bar, files)
    }

    /// So many bytes of so many are done.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.add(done);
    }

    /// So many bytes are done.
    pub(crate) fn add(&self, done: u64) {
        self.show();
        self.bar.set_position(done);
    }

    /// So many bytes more are done.
    fn more(&self, bytes: u64) {
        // A database that was opened goes on reading its files.
        if !self.bar.is_finished() {
            self.show();
            self.bar.inc(bytes);
        }
    }

    fn show(&self) {
        if self.bar.is_hidden() && self.bar.elapsed() > QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.set_message(self.name);
        }
    }

    /// It is done, or never will be.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Does something with a data folder that reads it; a bar shows how far it is.
pub(crate) fn reading<R>(name: &'static str, data: &Path, done: impl FnOnce(&Disk) -> R) -> R {
    let (bar, files) = Bar::reading(name, data);
    let result = done(&Disk::new(Arc::new(files)));
    bar.end();
    result
}

/// Bytes of all files below a folder. What cannot be looked at counts as nothing: it is for a bar.
fn bytes_below(folder: &Path) -> u64 {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
