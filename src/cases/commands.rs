//! What people send: bodies of cases. Next: [`actions`] for what may be done with one.

use entity::{
    case::{CaseChannel, CaseConcern, CaseKind, CaseUrgency},
    file::FileKind,
    id::{DivisionId, FileId, PersonId, StaffId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{files::Named, lists, personal::PhoneNumber};

mod actions;
mod checks;

pub use actions::{CaseMilestone, StaffAction, VillagerAction};

fn listed(list: &'static str) -> impl Fn(&str) -> Result<(), ValidationError> {
    move |code| if lists::knows(list, code) { Ok(()) } else { Err(ValidationError::new("unknown")) }
}

pub(super) fn known_topic(code: &str) -> Result<(), ValidationError> {
    listed("topics")(code)
}

fn phone_number(text: &str) -> Result<(), ValidationError> {
    if PhoneNumber::read(text).is_some() { Ok(()) } else { Err(ValidationError::new("format")) }
}

/// What a case is about, however it comes in.
#[derive(Clone, Debug)]
pub struct Matter {
    pub kind: CaseKind,
    pub item: Option<String>,
    pub concern: Option<CaseConcern>,
    pub title: Option<String>,
    pub text: Option<String>,
    pub form: Option<serde_json::Map<String, Value>>,
    pub topic: Option<String>,
    pub urgency: Option<CaseUrgency>,
    pub object: Option<String>,
    pub contact_phone: Option<String>,
    pub files: Vec<Named>,
}

/// A body with the fields of [`Matter`] beside its own. Written out by a macro: `flatten` would accept unknown fields.
macro_rules! body_with_matter {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of])* pub $field: $kind,)*
            /// `proxy` (民事代办), `voice` (民情代理), at the desk also `talk`.
            kind: CaseKind,
            /// Code of a service item; needed for `proxy`.
            #[validate(length(min = 1, max = 40))]
            #[schema(min_length = 1, max_length = 40)]
            item: Option<String>,
            /// Needed for `voice`.
            concern: Option<CaseConcern>,
            /// The village; left out: the person's own, or the desk's.
            pub division: Option<DivisionId>,
            /// Left out: the item's name or the concern.
            #[validate(length(min = 1, max = 80))]
            #[schema(min_length = 1, max_length = 80)]
            title: Option<String>,
            /// In the villager's words; needed for `voice` and `talk`, unless a voice note says it.
            #[validate(length(min = 1, max = 4000))]
            #[schema(min_length = 1, max_length = 4000)]
            text: Option<String>,
            /// Answers to the item's form; where there is no item, anything.
            #[schema(value_type = Option<Object>)]
            form: Option<serde_json::Map<String, Value>>,
            /// A code of the list `topics`.
            #[validate(length(max = 40), custom(function = known_topic))]
            #[schema(max_length = 40)]
            topic: Option<String>,
            /// Left out: `normal`.
            urgency: Option<CaseUrgency>,
            /// The thing it is about: the number on a lamp post, a well, a road. Finds others about the same.
            #[validate(length(min = 1, max = 64))]
            #[schema(min_length = 1, max_length = 64)]
            object: Option<String>,
            /// What tracking asks for; left out: the person's own.
            #[validate(length(max = 20), custom(function = phone_number))]
            #[schema(max_length = 20)]
            contact_phone: Option<String>,
            /// Files that the caller brought and that hang on nothing else; with a voice note `text` may be left out.
            #[validate(length(max = 9))]
            #[schema(max_items = 9)]
            files: Option<Vec<FileId>>,
        }

        impl $name {
            /// What it is about.
            #[must_use]
            pub fn matter(&self) -> Matter {
                Matter {
                    kind: self.kind,
                    item: self.item.clone(),
                    concern: self.concern,
                    title: self.title.clone(),
                    text: self.text.clone(),
                    form: self.form.clone(),
                    topic: self.topic.clone(),
                    urgency: self.urgency,
                    object: self.object.clone(),
                    contact_phone: self.contact_phone.clone(),
                    files: Named::list(self.files.as_ref()),
                }
            }
        }
    };
}

body_with_matter! {
    /// A case as a villager files it.
    FileCase {
        /// Staff it complains about: the case is then for the township's discipline desk only.
        #[validate(length(max = 10))]
        #[schema(max_items = 10)]
        against: Option<Vec<StaffId>>,
        /// Asks for the discipline desk without naming anybody.
        confidential: Option<bool>,
        /// Keeps it a draft until `submit`.
        draft: Option<bool>,
        /// Person id of somebody who let the caller act (`GET /me/principals`).
        for_person: Option<PersonId>,
        /// Anybody may see the matter, without whose it is. Only one's own questions, pleas for help and suggestions;
        /// can be taken back.
        public: Option<bool>,
        /// Codes of papers that came with earlier cases and are to serve again (`GET /catalogue/{code}/prepare`); needs
        /// the consent `reuse_papers`. Of a draft they are named when it is submitted.
        #[validate(length(max = 30))]
        #[schema(max_items = 30)]
        reuse: Option<Vec<String>>,
    }
}

body_with_matter! {
    /// A case entered at the desk for somebody who came, called or wrote.
    EnterCase {
        /// How it came in.
        channel: CaseChannel,
        /// For whom.
        for_person: Principal,
        /// Why the desk acts for them: cannot read, has no phone. Kept with the first event, for staff.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200)]
        reason: Option<String>,
        /// Codes of the item's papers that were handed in.
        #[validate(length(max = 30))]
        #[schema(max_items = 30)]
        materials: Option<Vec<String>>,
    }
}

/// Somebody known by id, or by name and phone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, untagged)]
pub enum Principal {
    /// Somebody who is registered.
    Known {
        /// Person id.
        id: PersonId,
    },
    /// Somebody who is here or on the phone.
    Named {
        /// Full name, 1 to 40 characters.
        #[schema(min_length = 1, max_length = 40)]
        name: String,
        /// Their phone.
        #[schema(max_length = 20)]
        phone: String,
    },
}

/// What an answer rests on.
#[derive(Clone, Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Number or place of the paper or record; needed for these.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The photo or voice note; needed for these. Of a paper its photo or copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileId>,
}

/// Kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A photo.
    Photo,
    /// A voice note.
    Voice,
    /// A paper.
    Paper,
    /// An entry in a register.
    Record,
}

impl Evidence {
    /// Whether it has what its kind needs.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.kind {
            EvidenceKind::Photo | EvidenceKind::Voice => self.file.is_some(),
            EvidenceKind::Paper | EvidenceKind::Record => self.reference.is_some(),
        }
    }

    /// The file of the one at this place of a list.
    fn named(&self, at: usize) -> Option<Named> {
        let kinds: &'static [FileKind] = match self.kind {
            EvidenceKind::Photo => &[FileKind::Photo],
            EvidenceKind::Voice => &[FileKind::Voice],
            EvidenceKind::Paper | EvidenceKind::Record => &[FileKind::Photo, FileKind::Document],
        };
        Some(Named::one(self.file?, &format!("/evidence/{at}/file"), kinds))
    }
}

/// The files of a list of evidence.
pub(super) fn files_of(evidence: &[Evidence]) -> Vec<Named> {
    evidence.iter().enumerate().filter_map(|(at, one)| one.named(at)).collect()
}

/// A review of a round.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewCase {
    /// 1 (very bad) to 5 (very good); nothing is preselected.
    #[validate(range(min = 1, max = 5))]
    #[schema(minimum = 1, maximum = 5)]
    pub stars: i32,
    /// Codes of `review_tags`; one or two stars need one, a text or a voice note.
    #[validate(length(max = 10))]
    #[schema(max_items = 10)]
    pub tags: Option<Vec<String>>,
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub text: Option<String>,
    /// Files that the caller brought; a voice note stands for words.
    #[validate(length(max = 9))]
    #[schema(max_items = 9)]
    pub files: Option<Vec<FileId>>,
}
