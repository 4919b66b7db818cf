//! One field, one parameter: its name, type, default and doc comment stand in one place, and all else is made of them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Ident, Lit, Meta, Type};

/// A field as the derive reads it.
enum Part<'a> {
    /// A parameter.
    Single {
        name: &'a Ident,
        ty: &'a Type,
        default: Expr,
        help: String,
    },
    /// The parameters of another struct, as if they stood here.
    Flattened { name: &'a Ident, ty: &'a Type },
}

/// The implementations of `Default` and `Parameters`.
pub(crate) fn implementation(input: &DeriveInput) -> Result<TokenStream, Error> {
    let parts = parts(input)?;
    let (name, (impl_generics, generics, bounds)) = (&input.ident, input.generics.split_for_impl());
    let defaults = parts.iter().map(|part| match part {
        Part::Single { name, default, .. } => quote!(#name: #default),
        Part::Flattened { name, ty } => quote!(#name: <#ty as ::core::default::Default>::default()),
    });
    let described = parts.iter().map(|part| match part {
        Part::Single { name, ty, help, .. } => {
            let text = plain(name);
            quote!(all.push(::steadfast_policy::described::<#ty>(#text, &defaults.#name, #help));)
        }
        Part::Flattened { ty, .. } => quote!(all.extend(<#ty as ::steadfast_policy::Parameters>::described());),
    });
    let read = parts.iter().filter_map(|part| match part {
        Part::Single { name, .. } => {
            let text = plain(name);
            Some(quote!(#text => ::core::option::Option::Some(::steadfast_policy::read_into(&mut self.#name, value)),))
        }
        Part::Flattened { .. } => None,
    });
    let elsewhere = parts.iter().filter_map(|part| match part {
        Part::Single { .. } => None,
        Part::Flattened { name, .. } => Some(quote! {
            .or_else(|| ::steadfast_policy::Parameters::set(&mut self.#name, name, value))
        }),
    });
    Ok(quote! {
        impl #impl_generics ::core::default::Default for #name #generics #bounds {
            fn default() -> Self {
                Self { #(#defaults),* }
            }
        }

        impl #impl_generics ::steadfast_policy::Parameters for #name #generics #bounds {
            fn described() -> ::std::vec::Vec<::steadfast_policy::Parameter> {
                let mut all = ::std::vec::Vec::new();
                #[allow(unused_variables)]
                let defaults = Self::default();
                #(#described)*
                all
            }

            fn set(
                &mut self,
                name: &str,
                value: &str,
            ) -> ::core::option::Option<::core::result::Result<(), ::std::string::String>> {
                match name {
                    #(#read)*
                    _ => ::core::option::Option::None #(#elsewhere)*,
                }
            }
        }
    })
}

fn parts(input: &DeriveInput) -> Result<Vec<Part<'_>>, Error> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "parameters are the named fields of a struct",
        ));
    };
    match &data.fields {
        Fields::Named(fields) => fields.named.iter().map(part).collect(),
        Fields::Unit => Ok(Vec::new()),
        Fields::Unnamed(_) => Err(Error::new_spanned(
            &input.ident,
            "parameters are the named fields of a struct",
        )),
    }
}

fn part(field: &Field) -> Result<Part<'_>, Error> {
    let Some(name) = &field.ident else {
        return Err(Error::new_spanned(field, "a parameter needs a name"));
    };
    let ty = &field.ty;
    if field.attrs.iter().any(|attribute| attribute.path().is_ident("flatten")) {
        return Ok(Part::Flattened { name, ty });
    }
    let default = field
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("default"));
    let Some(default) = default else {
        return Err(Error::new_spanned(
            name,
            format!("`{name}` needs a default, since `params` may leave it out: #[default(...)]"),
        ));
    };
    let help = help(field);
    if help.is_empty() {
        return Err(Error::new_spanned(
            name,
            format!("`{name}` needs a doc comment: it is the help that operators read"),
        ));
    }
    Ok(Part::Single {
        name,
        ty,
        default: default.parse_args()?,
        help,
    })
}

/// The doc comment on one line.
fn help(field: &Field) -> String {
    let mut words = Vec::new();
    for attribute in &field.attrs {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &meta.value
        {
            words.extend(text.value().split_whitespace().map(str::to_owned));
        }
    }
    words.join(" ")
}

/// The field's name as text, without the mark of a raw identifier.
fn plain(name: &Ident) -> String {
    let text = name.to_string();
    format_ident!("{}", text.trim_start_matches("r#")).to_string()
}
