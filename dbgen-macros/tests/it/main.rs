//! What the macros say to people who make a mistake: the cases of `tests/ui`, each named by its mistake, and what the
//! compiler says of it beside it. `TRYBUILD=overwrite cargo test -p dbgen-macros --test it` writes that anew.

#[test]
fn every_mistake_is_one_error_at_its_place() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

/// What cannot work with a transaction, a view or a join does not compile: there is no panic on aliasing at run time.
#[test]
fn what_cannot_be_borrowed_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui_borrow/*.rs");
}

/// Goldens can be written without being read; this reads them.
#[test]
fn no_mistake_gives_two_errors() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui");
    let files = std::fs::read_dir(folder).expect("the cases are there").filter_map(|entry| entry.ok());
    let goldens: Vec<_> =
        files.map(|entry| entry.path()).filter(|it| it.extension().is_some_and(|it| it == "stderr")).collect();
    assert!(goldens.len() >= 25, "{}", goldens.len());
    for golden in goldens {
        let text = std::fs::read_to_string(&golden).expect("it is there");
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 1, "{}:\n{text}", golden.display());
        assert!(text.contains("--> tests/ui/"), "{}:\n{text}", golden.display());
    }
}
