//! Your own environments. `lossward env new NAME` writes the file `NAME.rs` here; the name below registers it.

macro_rules! environments {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*
        /// Every environment of this folder.
        pub const ALL: &[crate::Spec] = &[$($name::SPEC),*];
    };
}

environments! {}
