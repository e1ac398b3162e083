//! A villager. What tells who they are is sealed; hashes (HMAC) find a phone, a name or a number without opening it.

use sea_orm::{Set, entity::prelude::*};

use crate::{
    Instant,
    id::{DivisionId, HouseholdId, PersonId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonId,
    pub name: Option<Sealed>,
    pub name_hash: Option<String>,
    pub phone: Option<Sealed>,
    pub phone_hash: Option<String>,
    pub citizen_no: Option<Sealed>,
    #[sea_orm(unique)]
    pub citizen_no_hash: Option<String>,
    pub village_id: Option<DivisionId>,
    /// Residence was confirmed by a roster or by the desk.
    pub verified: bool,
    pub household_id: Option<HouseholdId>,
    /// 组
    pub group_name: Option<String>,
    /// Under 14 (个人信息保护法 31); looked at again every day.
    pub minor: bool,
    /// The 65th birthday, from the citizen number: from then on the limits of booking do not bind.
    pub priority_from: Option<Date>,
    /// Until when the desk has set the limits of booking aside (disabled, pregnant); why is not kept here.
    pub priority_until: Option<Date>,
    /// The relative who is told of what agents do.
    pub family_name: Option<Sealed>,
    pub family_phone: Option<Sealed>,
    #[sea_orm(column_type = "JsonBinary")]
    pub preferences: Json,
    pub created_at: Instant,
    /// The person asked to be forgotten; what must be kept hangs on this row.
    pub closed_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of somebody of whom nothing is known yet.
    #[must_use]
    pub fn of_nobody_yet(now: Instant) -> Self {
        Self {
            id: Set(PersonId::fresh()),
            name: Set(None),
            name_hash: Set(None),
            phone: Set(None),
            phone_hash: Set(None),
            citizen_no: Set(None),
            citizen_no_hash: Set(None),
            village_id: Set(None),
            verified: Set(false),
            household_id: Set(None),
            group_name: Set(None),
            minor: Set(false),
            priority_from: Set(None),
            priority_until: Set(None),
            family_name: Set(None),
            family_phone: Set(None),
            preferences: Set(serde_json::json!({})),
            created_at: Set(now),
            closed_at: Set(None),
        }
    }
}
