//! How what the API shows is tied to core's values: field by field, so that the compiler finds what one has and the
//! other lacks.

use std::sync::Arc;

use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::{ClusterName, Namespace, PolicyName, Uid};

/// What the API shows of a value of core. Both ways always succeed: what cannot be is refused as it is read.
pub(super) trait Shows<Core>: Sized {
    /// Shows a value.
    fn of(core: &Core) -> Self;

    /// The value that is shown.
    fn into_core(self) -> Core;
}

/// An object: its fields, whose keys are their names in camelCase, and the fields of core that they show.
///
/// A field that is renamed in core is renamed on the right-hand side, and the JSON stays. One that is new in core, or
/// gone, does not compile until the table says what becomes of it.
macro_rules! object {
    ($(#[$meta:meta])* $name:ident of $core:path {
        $($(#[$attribute:meta])* $field:ident: $shape:ty = $core_field:ident),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        #[schema(as = explain::$name)]
        pub struct $name {
            $($(#[$attribute])* pub $field: $shape),+
        }

        impl $crate::explain::table::Shows<$core> for $name {
            fn of(core: &$core) -> Self {
                let $core { $($core_field),+ } = core;
                Self { $($field: $crate::explain::table::Shows::of($core_field)),+ }
            }

            fn into_core(self) -> $core {
                let Self { $($field),+ } = self;
                $core { $($core_field: $crate::explain::table::Shows::into_core($field)),+ }
            }
        }
    };
}

/// One of several words: each as it is shown, and the variant of core it shows.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident of $core:path {
        $($word:tt = $variant:ident $(#[$attribute:meta])*),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[schema(as = explain::$name)]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                $(#[$attribute])*
                #[serde(rename = $word)]
                $variant
            ),+
        }

        impl $name {
            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::explain::table::Shows<$core> for $name {
            fn of(core: &$core) -> Self {
                match core { $(<$core>::$variant => Self::$variant),+ }
            }

            fn into_core(self) -> $core {
                match self { $(Self::$variant => <$core>::$variant),+ }
            }
        }
    };
}

pub(super) use {object, words};

impl<T: Shows<Core>, Core> Shows<Option<Core>> for Option<T> {
    fn of(core: &Option<Core>) -> Self {
        core.as_ref().map(T::of)
    }

    fn into_core(self) -> Option<Core> {
        self.map(T::into_core)
    }
}

impl<T: Shows<Core>, Core> Shows<Vec<Core>> for Vec<T> {
    fn of(core: &Vec<Core>) -> Self {
        core.iter().map(T::of).collect()
    }

    fn into_core(self) -> Vec<Core> {
        self.into_iter().map(T::into_core).collect()
    }
}

/// What JSON has itself.
macro_rules! plain {
    ($($type:ty),+) => {
        $(impl Shows<$type> for $type {
            fn of(core: &$type) -> Self {
                Clone::clone(core)
            }

            fn into_core(self) -> $type {
                self
            }
        })+
    };
}

plain!(bool, u16, u32, i32, u64, String);

/// Names as they are.
macro_rules! name {
    ($($type:ty),+) => {
        $(impl Shows<$type> for String {
            fn of(core: &$type) -> Self {
                core.to_string()
            }

            fn into_core(self) -> $type {
                <$type>::new(self)
            }
        })+
    };
}

name!(ClusterName, Namespace, PolicyName, Uid);

impl Shows<ForeignText> for String {
    fn of(core: &ForeignText) -> Self {
        core.to_string()
    }

    fn into_core(self) -> ForeignText {
        self.into()
    }
}

impl Shows<Arc<str>> for String {
    fn of(core: &Arc<str>) -> Self {
        core.to_string()
    }

    fn into_core(self) -> Arc<str> {
        self.into()
    }
}
