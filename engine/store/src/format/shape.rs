//! How a shape on disk is tied to the value it stands for: field by field, so that the compiler finds what one has and
//! the other lacks.

use std::sync::Arc;
use std::time::Duration;

/// What stands on disk for a value of core. Both ways always succeed: what cannot be is refused as it is read.
pub(crate) trait Shape: Sized {
    /// The value it stands for.
    type Core;

    /// The shape of a value.
    fn of(core: &Self::Core) -> Self;

    /// The value of a shape.
    fn into_core(self) -> Self::Core;
}

/// An object: its keys in the order in which they are written, what each holds, and the field it stands for.
///
/// The keys are the format; a field that is renamed in core is renamed on the right-hand side, and no byte changes. A
/// field that is new in core, or gone, does not compile until the table says what becomes of it.
macro_rules! object {
    ($(#[$meta:meta])* $name:ident of $core:path {
        $($(#[$attribute:meta])* $key:literal: $shape:ty = $field:ident),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        pub(crate) struct $name {
            $($(#[$attribute])* #[serde(rename = $key)] $field: $shape),+
        }

        impl $crate::format::shape::Shape for $name {
            type Core = $core;

            fn of(core: &Self::Core) -> Self {
                let $core { $($field),+ } = core;
                Self { $($field: <$shape as $crate::format::shape::Shape>::of($field)),+ }
            }

            fn into_core(self) -> Self::Core {
                let Self { $($field),+ } = self;
                $core { $($field: <$shape as $crate::format::shape::Shape>::into_core($field)),+ }
            }
        }
    };
}

/// One of several words: each as it is written, and the variant it stands for. Variants that the format has no word for may
/// be told by the nearest one, where what stands beside it says more.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident of $core:path {
        $($(#[$attribute:meta])* $word:literal = $variant:ident),+ $(,)?
    } $(nearest { $($later:ident as $nearest:ident),+ $(,)? })?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $name {
            $($(#[$attribute])* #[serde(rename = $word)] $variant),+
        }

        #[cfg(test)]
        impl $name {
            /// All of them.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::format::shape::Shape for $name {
            type Core = $core;

            fn of(core: &Self::Core) -> Self {
                match core {
                    $(<$core>::$variant => Self::$variant,)+
                    $($(<$core>::$later => Self::$nearest,)+)?
                }
            }

            fn into_core(self) -> Self::Core {
                match self { $(Self::$variant => <$core>::$variant),+ }
            }
        }
    };
}

pub(super) use {object, words};

impl<T: Shape> Shape for Option<T> {
    type Core = Option<T::Core>;

    fn of(core: &Self::Core) -> Self {
        core.as_ref().map(T::of)
    }

    fn into_core(self) -> Self::Core {
        self.map(T::into_core)
    }
}

impl<T: Shape> Shape for Vec<T> {
    type Core = Vec<T::Core>;

    fn of(core: &Self::Core) -> Self {
        core.iter().map(T::of).collect()
    }

    fn into_core(self) -> Self::Core {
        self.into_iter().map(T::into_core).collect()
    }
}

/// What is shared in memory stands on disk as itself.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Shared<T>(T);

impl<T: Shape> Shape for Shared<T> {
    type Core = Arc<T::Core>;

    fn of(core: &Self::Core) -> Self {
        Self(T::of(core))
    }

    fn into_core(self) -> Self::Core {
        Arc::new(self.0.into_core())
    }
}

/// An array of two.
impl<A: Shape, B: Shape> Shape for (A, B) {
    type Core = (A::Core, B::Core);

    fn of((a, b): &Self::Core) -> Self {
        (A::of(a), B::of(b))
    }

    fn into_core(self) -> Self::Core {
        (self.0.into_core(), self.1.into_core())
    }
}

/// Types of the standard library are their own shape: serde says how they are written, and changes that for nobody.
/// A `Duration` is `{"secs", "nanos"}`.
macro_rules! plain {
    ($($type:ty),+) => {
        $(impl Shape for $type {
            type Core = Self;

            fn of(core: &Self) -> Self {
                Clone::clone(core)
            }

            fn into_core(self) -> Self {
                self
            }
        })+
    };
}

plain!(u8, u16, u32, i32, u64, String, Arc<str>, Duration);
