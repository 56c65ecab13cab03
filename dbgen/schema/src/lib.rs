//! The schema model of dbgen. It stands at the ground: it knows no other crate of the project.

pub mod field_type;
pub mod layout;
pub mod model;
pub mod value;

pub use field_type::{Scalar, Type};
pub use model::*;
pub use value::Value;
