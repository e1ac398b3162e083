//! Screening: before the day the staff say which matters go on the agenda, which are for the host, which belong elsewhere.
//!
//! It moves towards privacy only: what a villager called private no member of staff makes public. Next: [`super::agenda`],
//! which shows what was screened as public.

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, BookingState, Screening},
    content_check::ContentSubject,
    id::{BookingId, DivisionId, StaffId},
};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{conclude::tells_nobody, matters, step};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::SeeTalkLine},
    content::{self, Words},
    db::Tx,
    notices::{self, About, Telling},
    problem::{Code, Problem},
    talks::{rules::spoken, words},
};

/// The part of a matter that the agenda shows.
pub(super) const AGENDA_TITLE: &str = "title";

/// Where a matter belongs.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenBooking {
    /// `public`: on the agenda; `private`: for the host alone; `other_channel`: better taken elsewhere.
    #[serde(rename = "as")]
    verdict: Screening,
    /// With `public`, which needs it: what the agenda says of it, without names and numbers.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    title: Option<String>,
    /// With `other_channel`, which needs it: where to go; the person is told.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    text: Option<String>,
    /// The version that was looked at; 409 `stale` when it is another by now.
    version: Option<i32>,
}

impl ScreenBooking {
    fn fits(&self, private: bool) -> Result<(), Problem> {
        if private && self.verdict == Screening::Public {
            return Err(Problem::field("/as", "private_matter"));
        }
        let parts = [
            ("/title", self.title.is_some(), self.verdict == Screening::Public),
            ("/text", self.text.is_some(), self.verdict == Screening::OtherChannel),
        ];
        for (pointer, there, wanted) in parts {
            if there != wanted {
                return Err(Problem::field(pointer, if wanted { "required" } else { "not_allowed_here" }));
            }
        }
        Ok(())
    }
}

/// Says where a matter belongs; may be said anew until the day begins.
///
/// # Errors
/// `not_found`, `not_your_duty` for a private matter of others, `conflict_of_interest`, `transition_not_allowed` once the
/// day has begun, `stale`, `invalid`.
pub async fn screen(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: BookingId,
    body: &ScreenBooking,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    let private = open.booking.privacy == BookingPrivacy::Private;
    if private && !open.hosting {
        return Err(Code::NotYourDuty.into());
    }
    open.impartial(tx, staff.id()).await?;
    let ahead = matches!(open.booking.state, BookingState::ToConfirm | BookingState::Booked);
    if !ahead || now >= open.day.starts_at {
        return Err(Code::TransitionNotAllowed.into());
    }
    if body.version.is_some_and(|version| version != open.booking.version) {
        return Err(Code::Stale.into());
    }
    body.fits(private)?;
    tells_nobody(tx, app, &open.booking, &[("/title", body.title.as_deref())]).await?;
    let names = matters::names_of_day(app, tx, open.day.id).await?;
    let version = open.booking.version + 1;
    let mut row = open.booking.into_active_model();
    row.screened = Set(Some(body.verdict));
    row.agenda_title = Set(body.title.as_ref().map(|title| words::published(title.trim(), &names)));
    row.version = Set(version);
    if body.verdict == Screening::Private {
        row.privacy = Set(BookingPrivacy::Private);
    }
    let row = row.update(tx).await?;
    look_at(tx, app, &row, open.day.division_id, staff.id(), now).await?;
    if let Some(text) = &body.text {
        let params = json!({"when": spoken(open.day.starts_at), "text": text.trim()});
        let about = About::Booking(row.id);
        let telling = Telling { person: row.person_id, kind: "talk_other_channel", about, params };
        notices::tell(tx, vec![telling], now).await?;
    }
    let entry = Entry::done("screen_booking", "booking", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}

/// What the agenda will say is looked at before anybody reads it; what goes on no agenda is nobody's to look at.
async fn look_at(
    tx: &Tx,
    app: &App,
    row: &booking::Model,
    place: DivisionId,
    by: StaffId,
    now: Instant,
) -> Result<(), Problem> {
    let (subject, subject_id) = (ContentSubject::Booking, row.id.0);
    let title = row.agenda_title.clone().filter(|_| row.screened == Some(Screening::Public));
    let Some(text) = title else { return content::drop_subject(tx, subject, subject_id).await };
    let part = AGENDA_TITLE.to_owned();
    let words = Words { subject, subject_id, part, place, person: Some(row.person_id), written_by: Some(by), text };
    content::look_at(tx, app, words, now).await.map(drop)
}
