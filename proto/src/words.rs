//! Shared vocabularies: a domain enum and a proto enum that are the same words.
use crate::Invalid;

/// A domain enum that has a counterpart on the wire.
pub trait Wire: Sized {
    /// Its number there.
    fn to_wire(self) -> i32;

    /// What that number means here; `UNSPECIFIED` and unknown numbers are refused with the field's name.
    fn from_wire(field: &'static str, raw: i32) -> Result<Self, Invalid>;
}

/// Declares, in one line, that a domain enum and a proto enum are the same vocabulary. Both directions are exhaustive: a
/// variant added on either side stops the build here.
#[macro_export]
macro_rules! same_words {
    ($domain:ty = $proto:ty { $($word:ident),+ $(,)? }) => {
        impl $crate::Wire for $domain {
            fn to_wire(self) -> i32 {
                match self { $(Self::$word => <$proto>::$word as i32),+ }
            }

            fn from_wire(field: &'static str, raw: i32) -> Result<Self, $crate::Invalid> {
                match <$proto>::try_from(raw) {
                    $(Ok(<$proto>::$word) => Ok(Self::$word),)+
                    Ok(<$proto>::Unspecified) => Err($crate::Invalid::new(field, $crate::why!("is required", "必填"))),
                    Err(_) => Err($crate::Invalid::new(field, $crate::why!("{raw} is not one of its values", "{raw} 不是它的取值"))),
                }
            }
        }
    };
}
