//! The command line as its users meet it: each file of `sessions/` is a session of the real program in a folder of its
//! own, with everything it printed and its exit codes.
//!
//! A line `> dbgen …` runs the program, `> cat FILE` shows a file, `> ls` lists the folder, `> replace FILE OLD NEW`
//! changes a file (words may be quoted with `'`), `> git …` runs git. The folder begins as a copy of `files/` and the
//! schema of the arena. Lines of standard error are shown behind `! `, exit codes other than 0 as `[exit N]`.
//!
//! `UPDATE_GOLDENFILES=1 cargo test -p dbgen-cli` writes what is printed now; read the difference before committing.

mod broken;
mod catalog;
mod folder;
mod kill;
mod large;
mod new_project;
mod project;
mod serve;
mod served;
mod session;
mod strict;

use session::Session;

macro_rules! sessions {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            Session::play(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sessions/", stringify!($name)));
        }
    )*};
}

sessions! {
    check
    diff
    doc
    explain
    fmt
    generate
    history
    lock
    new
    usage
}

#[test]
fn every_session_is_played() {
    let source = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sessions")).expect("the folder is there")
    {
        let name = entry.expect("an entry").file_name().into_string().expect("an UTF-8 name");
        assert!(source.lines().any(|line| line.trim() == name), "sessions/{name} is not played");
    }
}
