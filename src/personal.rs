//! Personal data as types: what one of them holds cannot be printed, logged or answered but masked.
//!
//! [`PersonName`], [`PhoneNumber`], [`CitizenNumber`] and [`PrivateText`] say by their type under which purpose they are
//! sealed and how strangers see them; the one way to the whole text is [`Personal::in_the_clear`], a word that a reader
//! of the code can look for (个人信息保护法 51; GB/T 35273 7.2). Next: [`crate::crypto`], which seals them.

mod citizen_number;
mod name;
mod phone;

pub use citizen_number::{CitizenNumber, NumberFault, Sex};
pub use name::PersonName;
pub use phone::PhoneNumber;

use entity::sealed::Sealed;

use crate::{crypto::FieldKeys, problem::Problem};

/// A kind of personal text.
pub trait Personal: Sized {
    /// What it is sealed for; a value moved to a column of another purpose does not open.
    const PURPOSE: &'static str;

    /// From text that was checked when it came in.
    fn of_stored(text: String) -> Self;

    /// The whole of it. Every use must be one that the law and the viewer's duty allow.
    fn in_the_clear(&self) -> &str;

    /// As strangers may see it.
    fn masked(&self) -> String;

    /// What equality search compares.
    fn comparable(&self) -> String {
        self.in_the_clear().to_owned()
    }
}

/// Printing, logging and answering a personal type gives its masked form.
macro_rules! masked {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::personal::Personal::masked(self))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::personal::Personal::masked(self))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$crate::personal::Personal::masked(self))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <String as utoipa::PartialSchema>::schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}
pub(crate) use masked;

/// Private words: a note, evidence, an address.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateText(String);

impl Personal for PrivateText {
    const PURPOSE: &'static str = "text";

    fn of_stored(text: String) -> Self {
        Self(text)
    }

    fn in_the_clear(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        "****".to_owned()
    }
}

masked!(PrivateText);

impl FieldKeys {
    /// Seals personal data for its column.
    pub fn close<T: Personal>(&self, value: &T) -> Result<Sealed, Problem> {
        self.seal(T::PURPOSE, value.in_the_clear())
    }

    /// Opens what [`Self::close`] sealed.
    pub fn open<T: Personal>(&self, sealed: &Sealed) -> Result<T, Problem> {
        self.unseal(T::PURPOSE, sealed).map(T::of_stored)
    }

    /// Opens a column that may be empty.
    pub fn open_if<T: Personal>(&self, sealed: Option<&Sealed>) -> Result<Option<T>, Problem> {
        sealed.map(|sealed| self.open(sealed)).transpose()
    }

    /// What finds equal values without opening them.
    pub fn hash_of<T: Personal>(&self, value: &T) -> Result<String, Problem> {
        self.blind_index(T::PURPOSE, &value.comparable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    #[test]
    fn no_personal_type_prints_or_answers_what_it_holds() {
        let phone = PhoneNumber::read("13800000000").unwrap();
        assert_eq!(format!("{phone} {phone:?}"), "138****0000 138****0000");
        assert_eq!(serde_json::to_string(&phone).unwrap(), r#""138****0000""#);
        let words = PrivateText::of_stored("卧床三年".into());
        assert_eq!(format!("{words} {words:?}"), "**** ****");
    }

    #[test]
    fn a_value_is_sealed_for_its_purpose_and_found_by_its_hash() {
        let keys = FieldKeys::new(&Config::of_files(Environment::Test).unwrap().crypto).unwrap();
        let phone = PhoneNumber::read("13800000000").unwrap();
        let sealed = keys.close(&phone).unwrap();
        assert_eq!(keys.open::<PhoneNumber>(&sealed).unwrap(), phone);
        assert!(keys.open::<PersonName>(&sealed).is_err());
        let name = |text| keys.hash_of(&PersonName::read(text).unwrap()).unwrap();
        assert_eq!(name("阿依古丽·买买提"), name("阿依古丽•买买提"));
        assert_ne!(name("张一"), name("张二"));
    }
}
