//! The one list of what is sealed and of what is found by a hash. Whoever adds a column adds it here.

use crate::{
    crypto::FILE_KEY_PURPOSE,
    http::ANSWER_PURPOSE,
    personal::{CitizenNumber, PersonName, Personal, PhoneNumber, PrivateText},
};

/// A table with sealed columns.
#[derive(Clone, Copy, Debug)]
pub struct SealedTable {
    /// Its name.
    pub table: &'static str,
    /// A UUID column that leads to a row, or to few.
    pub key: &'static str,
    /// Columns, and what their values are sealed for.
    pub columns: &'static [(&'static str, &'static str)],
}

/// Every sealed column.
pub const SEALED: &[SealedTable] = &[
    SealedTable {
        table: "person",
        key: "id",
        columns: &[
            ("name", PersonName::PURPOSE),
            ("phone", PhoneNumber::PURPOSE),
            ("citizen_no", CitizenNumber::PURPOSE),
            ("family_name", PersonName::PURPOSE),
            ("family_phone", PhoneNumber::PURPOSE),
        ],
    },
    SealedTable {
        table: "cases",
        key: "id",
        columns: &[
            ("form", PrivateText::PURPOSE),
            ("contact_name", PersonName::PURPOSE),
            ("contact_phone", PhoneNumber::PURPOSE),
        ],
    },
    SealedTable {
        table: "roster_entry",
        key: "id",
        columns: &[
            ("name", PersonName::PURPOSE),
            ("citizen_no", CitizenNumber::PURPOSE),
            ("phone", PhoneNumber::PURPOSE),
            ("note", PrivateText::PURPOSE),
        ],
    },
    SealedTable {
        table: "residence_claim",
        key: "id",
        columns: &[("name", PersonName::PURPOSE), ("citizen_no", CitizenNumber::PURPOSE)],
    },
    SealedTable {
        table: "authorisation",
        key: "id",
        columns: &[
            ("agent_name", PersonName::PURPOSE),
            ("agent_phone", PhoneNumber::PURPOSE),
            ("evidence_text", PrivateText::PURPOSE),
            ("witness", PersonName::PURPOSE),
        ],
    },
    SealedTable {
        table: "consent",
        key: "id",
        columns: &[("guardian_name", PersonName::PURPOSE), ("guardian_phone", PhoneNumber::PURPOSE)],
    },
    SealedTable {
        table: "booking",
        key: "id",
        columns: &[("address", PrivateText::PURPOSE), ("objection_text", PrivateText::PURPOSE)],
    },
    SealedTable {
        table: "talk_record",
        key: "id",
        columns: &[
            ("text", PrivateText::PURPOSE),
            ("public_text", PrivateText::PURPOSE),
            ("reason", PrivateText::PURPOSE),
        ],
    },
    SealedTable { table: "talk_minutes", key: "id", columns: &[("document", PrivateText::PURPOSE)] },
    SealedTable { table: "minutes_signature", key: "id", columns: &[("name", PersonName::PURPOSE)] },
    SealedTable { table: "talk_rating", key: "id", columns: &[("text", PrivateText::PURPOSE)] },
    SealedTable { table: "data_export", key: "id", columns: &[("content", PrivateText::PURPOSE)] },
    SealedTable { table: "phone_code", key: "person_id", columns: &[("phone", PhoneNumber::PURPOSE)] },
    SealedTable { table: "staff", key: "id", columns: &[("totp_secret", PrivateText::PURPOSE)] },
    SealedTable {
        table: "webhook",
        key: "id",
        columns: &[("secret", PrivateText::PURPOSE), ("former_secret", PrivateText::PURPOSE)],
    },
    SealedTable { table: "webhook_delivery", key: "id", columns: &[("answer", PrivateText::PURPOSE)] },
    // Keys of files: the bytes themselves stay as they are.
    SealedTable { table: "file", key: "id", columns: &[("key", FILE_KEY_PURPOSE)] },
    SealedTable { table: "upload", key: "id", columns: &[("key", FILE_KEY_PURPOSE)] },
    SealedTable { table: "content_check", key: "id", columns: &[("text", PrivateText::PURPOSE)] },
    SealedTable { table: "notice_delivery", key: "id", columns: &[("done_text", PrivateText::PURPOSE)] },
    SealedTable { table: "wechat_push", key: "id", columns: &[("body", PrivateText::PURPOSE)] },
    // Answers are kept for two days; a text column holds them sealed.
    SealedTable { table: "idempotent_answer", key: "caller", columns: &[("body", ANSWER_PURPOSE)] },
];

/// A kind of personal data that is found by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// By name.
    Name,
    /// By phone.
    Phone,
    /// By citizen number.
    CitizenNumber,
}

/// A column of hashes.
#[derive(Clone, Copy, Debug)]
pub struct HashedColumn {
    /// The table's name.
    pub table: &'static str,
    /// The sealed column whose value is hashed.
    pub sealed: &'static str,
    /// The column that holds the hash.
    pub hash: &'static str,
    /// What it is a hash of.
    pub kind: Found,
}

const fn hashed(table: &'static str, sealed: &'static str, hash: &'static str, kind: Found) -> HashedColumn {
    HashedColumn { table, sealed, hash, kind }
}

/// Every column of hashes; the key of each table is `id`.
pub const HASHED: &[HashedColumn] = &[
    hashed("person", "name", "name_hash", Found::Name),
    hashed("person", "phone", "phone_hash", Found::Phone),
    hashed("person", "citizen_no", "citizen_no_hash", Found::CitizenNumber),
    hashed("roster_entry", "name", "name_hash", Found::Name),
    hashed("roster_entry", "phone", "phone_hash", Found::Phone),
    hashed("roster_entry", "citizen_no", "citizen_no_hash", Found::CitizenNumber),
    hashed("residence_claim", "citizen_no", "citizen_no_hash", Found::CitizenNumber),
    hashed("authorisation", "agent_phone", "agent_phone_hash", Found::Phone),
];
