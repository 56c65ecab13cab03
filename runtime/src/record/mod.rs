//! Records as bytes: images on their way in, cells and heap values on their way out, keys, dynamic values.

pub mod check;
pub mod chunk;
pub mod codec;
pub mod guard;
pub mod hash;
pub mod heap_ref;
pub mod image;
pub mod key;
pub mod plan;
pub mod rules;
pub mod strided;
