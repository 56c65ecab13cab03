//! What a struct or enum that a record holds must be, and how it is said once.
//!
//! Types of a schema file are all they must be. One that somebody wrote and derived may lack a trait, and generated code uses it
//! in many places. So the type is asked in one place, [`is_held`], and everything else goes on without the trait: [`Shown`] and
//! [`Cloned`] take what a type has, and do something harmless where it has nothing, which is never run, since that program
//! does not compile.

use crate::cell::Enumeration;
use std::fmt;

/// What a type in a record must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` must be `Debug` and `Clone`: records show and copy it",
    label = "lacks one of them",
    note = "write `#[derive(Debug, Clone, PartialEq)]` on it"
)]
pub trait Held: Clone + fmt::Debug {}

#[diagnostic::do_not_recommend]
impl<T: Clone + fmt::Debug> Held for T {}

/// Asks a type whether it is what it must be.
pub const fn is_held<T: Held>() {}

/// The enum behind a reference.
#[inline]
pub fn copied<E: Enumeration>(value: &E) -> E {
    *value
}

/// A value to be shown. The method of its own is found first; if the type is not `Debug`, that of [`NotShown`] is.
pub struct Shown<'a, T>(pub &'a T);

impl<T: fmt::Debug> Shown<'_, T> {
    /// The value.
    pub fn shown(&self) -> &dyn fmt::Debug {
        self.0
    }
}

/// See [`Shown`].
pub trait NotShown {
    /// Something in its place.
    fn shown(&self) -> &dyn fmt::Debug;
}

impl<T> NotShown for Shown<'_, T> {
    fn shown(&self) -> &dyn fmt::Debug {
        &()
    }
}

/// A value to be cloned; as for [`Shown`].
pub struct Cloned<'a, T>(pub &'a T);

impl<T: Clone> Cloned<'_, T> {
    /// The clone.
    pub fn made(&self) -> T {
        self.0.clone()
    }
}

/// See [`Cloned`].
pub trait NotCloned<T> {
    /// Nothing: there is no clone.
    fn made(&self) -> T;
}

impl<T> NotCloned<T> for Cloned<'_, T> {
    fn made(&self) -> T {
        unreachable!("a type that is not `Clone` was refused when the program was compiled")
    }
}
