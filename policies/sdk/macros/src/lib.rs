//! `#[derive(Parameters)]` for the crate `steadfast-policy`, which documents it.

mod parameters;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct the parameters of a policy; see `steadfast_policy::Parameters`.
#[proc_macro_derive(Parameters, attributes(default, flatten))]
pub fn derive_parameters(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    parameters::implementation(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
