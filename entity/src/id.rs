//! Keys: `UUIDv7` newtypes, so that a slot's key cannot be passed where a person's is meant.

use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType, ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new key. Keys sort roughly by birth; nothing reads the time out of them.
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }
        }

        // SeaORM asks this of every primary key; it is for engines that answer an insert with a number.
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    AbsenceId, AuthorisationId, AuthorisationUseId, BookingEventId, BookingId, CallBackId, CaseId, CaseEventId, CoHandlerId, ConflictId,
    ConsentId,
    CouncilMatterId, DataExportId, DivisionChangeId, DivisionId, DutyEntryId, FollowUpId, HostCoverId, HouseholdId, JobId, MinutesSignatureId, NoticeId,
    PartyId, PersonId, PostingId, ReportId, ResidenceClaimId, ReviewAppealId, ReviewId, RosterEntryId, ServiceItemId, SessionId, SlotId, StaffId,
    TalkDayId, TalkMinutesId, TalkRatingId, TalkRecordId, TalkRuleId, TalkWaitId, TalkWaiterId, UnitId,
    ApiKeyId, WebhookDeliveryId, WebhookId,
    FileId, UploadId,
    ContentCheckId, PublicationId, WechatPushId,
    NoticeDeliveryId, StaffNoticeId,
}
