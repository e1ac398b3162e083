//! People and lines of rosters as staff see them: masked, whatever their duty.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    id::{DivisionId, HouseholdId, PersonId, RosterEntryId},
    person, roster_entry,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    crypto::FieldKeys,
    personal::{CitizenNumber, PersonName, PhoneNumber, PrivateText},
    problem::Problem,
};

/// Somebody who registered, or whom the desk did.
#[derive(Serialize, ToSchema)]
pub struct ResidentView {
    id: PersonId,
    /// Masked: `张*三`.
    #[schema(required)]
    name: Option<PersonName>,
    /// Masked: `138****8000`.
    #[schema(required)]
    phone: Option<PhoneNumber>,
    /// Masked: `5117**********0012`.
    #[schema(required)]
    citizen_no: Option<CitizenNumber>,
    /// Whether residence was confirmed by a roster or the desk.
    verified: bool,
    #[schema(required)]
    village: Option<DivisionId>,
    /// 户号
    #[schema(required)]
    household: Option<String>,
    /// 组
    #[schema(required)]
    group: Option<String>,
    registered_at: DateTime<Utc>,
}

impl ResidentView {
    pub(super) fn of(
        keys: &FieldKeys,
        row: person::Model,
        households: &HashMap<HouseholdId, String>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            name: keys.open_if(row.name.as_ref())?,
            phone: keys.open_if(row.phone.as_ref())?,
            citizen_no: keys.open_if(row.citizen_no.as_ref())?,
            verified: row.verified,
            village: row.village_id,
            household: row.household_id.and_then(|id| households.get(&id).cloned()),
            group: row.group_name,
            registered_at: row.created_at,
        })
    }
}

/// A line of a roster.
#[derive(Serialize, ToSchema)]
pub struct RosterEntryView {
    id: RosterEntryId,
    /// Masked: `张*三`.
    name: PersonName,
    /// Masked: `138****8000`.
    #[schema(required)]
    phone: Option<PhoneNumber>,
    /// Masked: `5117**********0012`.
    citizen_no: CitizenNumber,
    village: DivisionId,
    /// 户号
    #[schema(required)]
    household: Option<String>,
    /// 组
    #[schema(required)]
    group: Option<String>,
    /// Masked; that there is one can be seen.
    #[schema(required)]
    note: Option<PrivateText>,
    /// Whether the person has registered and belongs to the village.
    claimed: bool,
    imported_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl RosterEntryView {
    pub(super) fn of(
        keys: &FieldKeys,
        row: roster_entry::Model,
        claimed: &HashSet<(DivisionId, String)>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            name: keys.open(&row.name)?,
            phone: keys.open_if(row.phone.as_ref())?,
            citizen_no: keys.open(&row.citizen_no)?,
            village: row.village_id,
            household: row.household_no,
            group: row.group_name,
            note: keys.open_if(row.note.as_ref())?,
            claimed: claimed.contains(&(row.village_id, row.citizen_no_hash)),
            imported_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
