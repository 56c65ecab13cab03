//! What must hold of any bytes: they are a schema whose code is Rust, or every mistake in them is reported inside the file.
//! The fuzz target and, on a stable toolchain, the test over its corpus and over mutated examples ask this.

use dbgen::schema::{Format, Parsed, Source};
use dbgen::{Options, generate};

/// Panics if it does not hold.
pub(crate) fn or_is_reported(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for format in [Format::Json, Format::Toml] {
        let source = Source { name: "any".to_owned(), text: text.clone().into_owned(), format };
        let parsed = Parsed::of(&source);
        for diagnostic in &parsed.diagnostics {
            let (start, end) = (diagnostic.span.start, diagnostic.span.end);
            assert!(start <= end && end <= text.len(), "{diagnostic:?}");
            let lines = text.lines().count().max(1) as u32 + 1;
            assert!((1..=lines).contains(&diagnostic.line) && diagnostic.column > 0, "{diagnostic:?}");
            assert!(!diagnostic.message.is_empty());
        }
        match parsed.schema {
            Some(schema) => {
                let code = generate(&schema, &Options::new()).unwrap_or_else(|error| panic!("{error}"));
                assert!(syn::parse_file(&code).is_ok(), "what is generated is no Rust");
            }
            None => assert!(parsed.diagnostics.has_errors(), "refused without a word"),
        }
    }
}
