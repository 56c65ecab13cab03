//! `schema!`: a schema file in one line.

use dbgen::Options;
use dbgen::schema::{Parsed, Severity};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use std::path::Path;
use syn::LitStr;

/// The expansion, for a file below `root`.
pub(crate) fn expand(root: &Path, path: &LitStr) -> TokenStream {
    let file = root.join(path.value());
    let Parsed { schema, diagnostics, .. } = Parsed::from_file(&file);
    let mistakes = diagnostics.mistakes();
    let told = mistakes.iter().map(|it| {
        let text = it.one_line();
        match it.first.severity {
            Severity::Error => quote_spanned!(path.span()=> ::core::compile_error!(#text);),
            Severity::Warning => crate::warning::warning(&text, Some(path.to_token_stream())),
        }
    });
    let told: TokenStream = told.collect();
    let Some(mut schema) = schema else { return told };
    let behind = match dbgen::lock(&file, None, &mut schema) {
        Ok(behind) => behind.map(|behind| crate::warning::warning(&behind.to_string(), Some(path.to_token_stream()))),
        Err(error) => {
            let text = error.to_string();
            return quote_spanned!(path.span()=> ::core::compile_error!(#text););
        }
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match dbgen::expand(&schema, &Options::new().source_name(name)) {
        Ok(module) => {
            // What makes the compiler look at the file again.
            let tracked = file.to_string_lossy();
            quote_spanned!(path.span()=> const _: &str = ::core::include_str!(#tracked); #module #told #behind)
        }
        Err(error) => {
            let text = error.to_string();
            quote_spanned!(path.span()=> ::core::compile_error!(#text);)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgen::schema::Schema;
    use proc_macro2::Span;

    fn expanded(file: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        expand(&root, &LitStr::new(file, Span::call_site())).to_string()
    }

    #[test]
    fn the_macro_expands_to_what_a_build_script_generates() {
        let schema = Schema::from_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/arena.json"));
        let options = Options::new().source_name("arena.json");
        let module = dbgen::expand(&schema.expect("the arena is a schema"), &options).expect("it compiles");
        assert!(expanded("schemas/arena.json").ends_with(&module.to_string()), "token for token");
        assert!(expanded("schemas/arena.json").starts_with("const _"), "and the file is tracked");
    }

    #[test]
    fn every_mistake_is_an_error_of_its_own() {
        let missing = expanded("schemas/no_such_file.json");
        assert_eq!(missing.matches("compile_error").count(), 1, "{missing}");
        assert!(missing.contains("no_such_file.json"), "{missing}");
        let wrong = expanded("tests/Cargo.toml");
        assert!(wrong.contains("compile_error") && !wrong.contains("pub mod"), "{wrong}");
    }

    #[test]
    fn what_is_hardly_meant_is_told() {
        let warned = expanded("dbgen-macros/tests/files/warned.json");
        assert!(warned.contains("pub mod") && warned.contains("warned.json:5:"), "{warned}");
        assert!(warned.contains("deprecated") && !warned.contains("compile_error"), "{warned}");
    }
}
