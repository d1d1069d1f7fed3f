//! Ids: short names for what can be wrong, for people to look up and for programs to tell it apart.

/// Declares an enum whose values each have an id that stays what it is, so that none can be left
/// out of `ALL`.
macro_rules! ids {
    ($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $name:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum {
            $($(#[$variant_doc])* $name,)*
        }

        impl $enum {
            /// All of them, in the order in which a chart is looked at.
            pub const ALL: &'static [$enum] = &[$($enum::$name,)*];

            /// The id.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $($enum::$name => $id,)*
                }
            }
        }
    };
}

pub(crate) use ids;
