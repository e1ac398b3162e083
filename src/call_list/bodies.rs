//! Bodies and views of the call list.

use chrono::{DateTime, Utc};
use entity::{
    id::{CaseId, NoticeDeliveryId, PersonId},
    notice_delivery::{NoticeDeliveryState, NoticeUrgency},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::personal::{PersonName, PhoneNumber};

/// Which of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Somebody has to tell them.
    #[default]
    ToCall,
    /// Somebody did.
    Called,
}

impl CallState {
    pub(super) fn stored(self) -> NoticeDeliveryState {
        match self {
            Self::ToCall => NoticeDeliveryState::ToCall,
            Self::Called => NoticeDeliveryState::Called,
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCalls {
    /// Left out: `to_call`.
    pub(super) state: Option<CallState>,
}

/// How somebody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallHow {
    /// 电话
    Phone,
    /// 上门
    Visit,
    /// 书面
    Paper,
}

impl CallHow {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Visit => "visit",
            Self::Paper => "paper",
        }
    }
}

/// They were told.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishCall {
    pub(super) how: CallHow,
    /// For whoever looks later.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) text: Option<String>,
}

/// They could not be told; they stay on the list.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailCall {
    /// Why: nobody at home, a wrong number.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) text: Option<String>,
}

/// Somebody to tell something.
#[derive(Serialize, ToSchema)]
pub struct CallView {
    pub(super) id: NoticeDeliveryId,
    pub(super) person: PersonId,
    /// Masked: `张*三`.
    #[schema(required)]
    pub(super) name: Option<PersonName>,
    /// Masked: `138****8000`; `/staff/people/{id}/reveal` and `/staff/cases/{id}/reveal` show it, with a reason.
    #[schema(required)]
    pub(super) phone: Option<PhoneNumber>,
    /// 组
    #[schema(required)]
    pub(super) group: Option<String>,
    /// Null where it is about none, and where it may not be said.
    #[schema(required)]
    pub(super) case: Option<CaseId>,
    pub(super) urgency: NoticeUrgency,
    pub(super) state: CallState,
    /// What is said on the phone, each sentence of it.
    pub(super) say: Vec<String>,
    /// What stands on a paper that is handed over.
    pub(super) paper: Vec<String>,
    /// How often it was tried in vain.
    pub(super) tries: i32,
    pub(super) since: DateTime<Utc>,
    #[schema(required)]
    pub(super) told_at: Option<DateTime<Utc>>,
    /// `phone`, `visit`, `paper`; `failed` where it was tried in vain.
    #[schema(required)]
    pub(super) how: Option<String>,
}
