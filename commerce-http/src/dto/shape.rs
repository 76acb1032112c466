//! Documents that are written from values of the engine.

/// Declares a document: each member with its type and its source. Absent options are omitted, unless a member has
/// `#[serialize_always]`.
macro_rules! shape {
    (
        $(#[$($meta:tt)*])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? from $source:tt: $source_type:ty {
            $($(#[$($member_meta:tt)*])* $member:ident: $type:ty = $value:expr,)*
        }
    ) => {
        #[serde_with_macros::skip_serializing_none]
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        $(#[$($meta)*])*
        $vis struct $name $(<$life>)? {
            $($(#[$($member_meta)*])* $member: $type,)*
        }

        impl $(<$life>)? From<$source_type> for $name $(<$life>)? {
            fn from($source: $source_type) -> Self {
                Self { $($member: $value),* }
            }
        }
    };
}
pub(crate) use shape;
