//! What every generated lens has in common: how it wraps the runtime's, and how it shows itself.
//!
//! Generated code says these in one line each, so that a generated file holds what is particular to a table.

/// Makes a table's four lenses of the runtime's: a record read in place is one, and shows what the getters named here
/// give; so is one written in place; the handles dereference to the runtime's, which has what all tables have.
#[doc(hidden)]
#[macro_export]
macro_rules! __lenses {
    ($record:ident, $record_ref:ident { $($getter:ident),* $(,)? }, $record_mut:ident, $reader:ident, $writer:ident) => {
        impl<'v> ::core::convert::From<$crate::__private::RecordRef<'v>> for $record_ref<'v> {
            #[inline]
            fn from(record: $crate::__private::RecordRef<'v>) -> $record_ref<'v> {
                $record_ref(record)
            }
        }

        $crate::__shown!($record_ref { $($getter),* });

        impl<'t> ::core::convert::From<$crate::__private::RecordMut<'t>> for $record_mut<'t> {
            #[inline]
            fn from(record: $crate::__private::RecordMut<'t>) -> $record_mut<'t> {
                $record_mut(record)
            }
        }

        impl<'v> ::core::ops::Deref for $reader<'v> {
            type Target = $crate::__private::TableRef<'v, $record>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<'t> ::core::ops::Deref for $writer<'t> {
            type Target = $crate::__private::TableMut<'t, $record>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl ::core::ops::DerefMut for $writer<'_> {
            #[inline]
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }
    };
}

/// Lets a view show what its getters give.
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($view:ident { $($getter:ident),* $(,)? }) => {
        impl ::core::fmt::Debug for $view<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_imports)]
                use $crate::__private::NotShown as _;
                // By value, so that a getter called `into` or `clone` is the getter and no method of a reference.
                let view = *self;
                f.debug_struct(::core::stringify!($view))
                    $(.field($crate::__private::field_name(::core::stringify!($getter)), $crate::__private::Shown(&view.$getter()).shown()))*
                    .finish()
            }
        }
    };
}

/// Lets a patch be shown and cloned.
#[doc(hidden)]
#[macro_export]
macro_rules! __patch {
    ($patch:ident { $($field:ident),* $(,)? }) => {
        impl ::core::fmt::Debug for $patch {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_imports)]
                use $crate::__private::NotShown as _;
                f.debug_struct(::core::stringify!($patch))
                    $(.field($crate::__private::field_name(::core::stringify!($field)), $crate::__private::Shown(&self.$field).shown()))*
                    .finish()
            }
        }

        impl ::core::clone::Clone for $patch {
            fn clone(&self) -> $patch {
                #[allow(unused_imports)]
                use $crate::__private::NotCloned as _;
                $patch { $($field: $crate::__private::Cloned(&self.$field).made()),* }
            }
        }
    };
}

/// Takes over what a patch gives.
#[doc(hidden)]
#[macro_export]
macro_rules! __patched {
    ($patch:ident => $record:ident { $($field:ident),* $(,)? }) => {
        $(if let ::core::option::Option::Some(value) = $patch.$field {
            $record.$field = value;
        })*
    };
}
