//! Enumerations in which every variant has a name.

/// Declares such an enumeration. Each variant stands in one place, with its name; all variants in order, and the function that
/// gives the name, follow from there.
///
/// ```
/// nandseq_profile::named! {
///     /// A direction.
///     #[derive(Clone, Copy)]
///     pub enum Direction {
///         /// To the left.
///         Left = "left",
///         /// To the right.
///         Right = "right",
///     }
///     /// Both directions.
///     pub const ALL;
///     /// The word for it.
///     pub const fn word;
/// }
/// assert_eq!(Direction::ALL.map(Direction::word), ["left", "right"]);
/// ```
#[macro_export]
macro_rules! named {
    (
        $(#[$of_enum:meta])*
        $visibility:vis enum $enum:ident {
            $($(#[$of_variant:meta])* $variant:ident = $name:literal,)+
        }
        $(#[$of_all:meta])*
        pub const ALL;
        $(#[$of_function:meta])*
        pub const fn $function:ident;
    ) => {
        $(#[$of_enum])*
        $visibility enum $enum {
            $($(#[$of_variant])* $variant,)+
        }

        impl $enum {
            $(#[$of_all])*
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            $(#[$of_function])*
            #[must_use]
            pub const fn $function(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}
