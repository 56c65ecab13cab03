//! Warnings: what is allowed but probably not meant. A stable compiler lets no macro warn, but it warns by itself where
//! something deprecated is used; so a warning is the use of an item that is deprecated for the reason that there is to tell.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

/// A warning at these tokens; without any, where the macro is used.
pub(crate) fn warning(message: &str, at: Option<TokenStream>) -> TokenStream {
    let first = at.and_then(|tokens| tokens.into_iter().next());
    let span = first.as_ref().map_or_else(Span::call_site, TokenTree::span);
    let used = quote_spanned!(span=> schema_warning);
    // The note begins on a line of its own: what stands before it is the compiler's.
    let note = format!("\n{message}");
    quote! {
        const _: () = {
            #[deprecated(note = #note)]
            #[allow(non_upper_case_globals)]
            const schema_warning: () = ();
            #used
        };
    }
}
