//! A matter that was heard: the record of it, and what becomes of it.
//!
//! One transaction: the step, the first record, the case or the entry on the council's list, and the notice. A private
//! matter is concluded by a host and goes nowhere but into a case that nobody sees who does not have it.

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::{BookingOutcome, BookingPrivacy, BookingState},
    case, council_matter, division,
    division::DivisionLevel,
    id::{CouncilMatterId, DivisionId, FileId, StaffId, UnitId},
    person, talk_day,
    talk_day::TalkDayState,
    talk_record,
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    records,
    step::{self, Acting, Open},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{Need, SeeTalkLine},
    },
    cases::{self, Heard, TakeUpCase},
    db::Tx,
    divisions,
    notices::{self, About, Telling},
    personal::PersonName,
    problem::{Code, Problem},
    talks::{rules::spoken, steps::LineAction, terms, words},
};

/// What became of a matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered on the spot.
    Answered,
    /// A case is opened.
    Case,
    /// Put on the council's list.
    Council,
}

/// A matter that was heard.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcludeBooking {
    /// What was said and answered; for the person and the hosts. With `voice` it may be left out.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    record: Option<String>,
    /// A voice note that the caller brought: what was said and answered, spoken.
    voice: Option<FileId>,
    /// What may be published of it, without names and numbers; not of a private matter.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    public_text: Option<String>,
    outcome: Outcome,
    /// With outcome `case`; left out: a talk case in the words of the booking.
    #[validate(nested)]
    case: Option<TakeUpCase>,
    /// With outcome `council`, which needs it: what it is about, without names and numbers.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    council_title: Option<String>,
    /// The version that was looked at; 409 `stale` when it is another by now.
    version: Option<i32>,
}

impl ConcludeBooking {
    /// Whether its parts fit its outcome and the matter.
    fn fits(&self, private: bool) -> Result<(), Problem> {
        let said = |there: bool, pointer: &str| {
            if there { Err(Problem::field(pointer, "not_allowed_here")) } else { Ok(()) }
        };
        said(self.case.is_some() && self.outcome != Outcome::Case, "/case")?;
        said(self.council_title.is_some() && self.outcome != Outcome::Council, "/council_title")?;
        said(private && self.public_text.is_some(), "/public_text")?;
        // The council's list is read by more than the host.
        said(private && self.outcome == Outcome::Council, "/outcome")?;
        if self.record.is_none() && self.voice.is_none() {
            return Err(Problem::field("/record", "required"));
        }
        if self.outcome == Outcome::Council && self.council_title.is_none() {
            return Err(Problem::field("/council_title", "required"));
        }
        Ok(())
    }
}

/// A matter, concluded.
pub struct Concluded {
    pub booking: booking::Model,
    pub record: talk_record::Model,
    pub case: Option<case::Model>,
    pub council_matter: Option<CouncilMatterId>,
}

/// Concludes a matter that was called.
///
/// # Errors
/// `not_found`, `not_your_duty` for a private matter of others, `conflict_of_interest` for that of somebody near,
/// `transition_not_allowed`, `stale`, `invalid`.
pub async fn conclude(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    acting: &Acting,
    open: Open,
    body: &ConcludeBooking,
) -> Result<Concluded, Problem> {
    let private = open.booking.privacy == BookingPrivacy::Private;
    if private && !open.hosting {
        return Err(Code::NotYourDuty.into());
    }
    open.impartial(tx, staff.id()).await?;
    if open.booking.state != BookingState::Called {
        return Err(Code::TransitionNotAllowed.into());
    }
    if body.version.is_some_and(|version| version != open.booking.version) {
        return Err(Code::Stale.into());
    }
    body.fits(private)?;
    let texts = [("/public_text", body.public_text.as_deref()), ("/council_title", body.council_title.as_deref())];
    tells_nobody(tx, app, &open.booking, &texts).await?;
    let place = divisions::find(tx, open.day.division_id).await?;
    let case = match body.outcome {
        Outcome::Case => Some(take_up(tx, app, staff, &open, &place, body.case.as_ref()).await?),
        Outcome::Answered | Outcome::Council => None,
    };
    let (day, outcome) = (open.day.clone(), outcome(body.outcome));
    let case_id = case.as_ref().map(|case| case.id);
    let booking = step::take(tx, open, LineAction::Conclude, acting, move |row| {
        row.outcome = Set(Some(outcome));
        row.case_id = Set(case_id);
    })
    .await?;
    let by_voice = t!("talk.spoken_record", locale = "zh-CN");
    let text = body.record.as_deref().unwrap_or(&by_voice);
    let said = records::Said { text, public_text: body.public_text.as_deref(), reason: None, voice: body.voice };
    let record = records::add(tx, app, &booking, staff.id(), &said, acting.now).await?;
    let council_matter = match &body.council_title {
        Some(title) => Some(list_for_council(tx, day.division_id, &booking, staff.id(), title, acting.now).await?),
        None => None,
    };
    let kind = match body.outcome {
        Outcome::Answered => "talk_answered",
        Outcome::Case => "talk_became_case",
        Outcome::Council => "talk_to_council",
    };
    let params = json!({"when": spoken(day.starts_at)});
    let telling = Telling { person: booking.person_id, kind, about: About::Booking(booking.id), params };
    notices::tell(tx, vec![telling], acting.now).await?;
    Ok(Concluded { booking, record, case, council_matter })
}

fn outcome(said: Outcome) -> BookingOutcome {
    match said {
        Outcome::Answered => BookingOutcome::Answered,
        Outcome::Case => BookingOutcome::Case,
        Outcome::Council => BookingOutcome::Council,
    }
}

/// 422 `personal` at the first of these texts that holds a number of somebody or the name of whose matter it is.
pub(super) async fn tells_nobody(
    tx: &Tx,
    app: &App,
    booking: &booking::Model,
    texts: &[(&str, Option<&str>)],
) -> Result<(), Problem> {
    if texts.iter().all(|(_, text)| text.is_none()) {
        return Ok(());
    }
    let person = person::Entity::find_by_id(booking.person_id).one(tx).await?;
    let name: Option<PersonName> = app.field_keys.open_if(person.and_then(|row| row.name).as_ref())?;
    let names: Vec<PersonName> = name.into_iter().collect();
    for (pointer, text) in texts {
        if text.is_some_and(|text| words::holds_number(text) || words::names_somebody(text, &names)) {
            return Err(Problem::field(pointer, "personal"));
        }
    }
    Ok(())
}

/// The unit for which these staff act at a place.
fn unit_at<N: Need>(staff: &Staff<N>, place: &division::Model) -> Option<UnitId> {
    staff.postings().find(|posted| divisions::covers(posted, place)).map(|posted| posted.unit)
}

async fn take_up(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    open: &Open,
    place: &division::Model,
    body: Option<&TakeUpCase>,
) -> Result<case::Model, Problem> {
    let village = village_of(tx, open, place).await?;
    let hosts: Vec<StaffId> = terms::stored(&open.day.hosts)?;
    let heard = Heard {
        booking: &open.booking,
        village,
        staff: staff.id(),
        unit: unit_at(staff, place),
        next_day: next_day(tx, &open.day).await?,
        hosts,
    };
    let usual = TakeUpCase::default();
    cases::take_up(tx, app, heard, body.unwrap_or(&usual)).await.map_err(|problem| problem.below("/case"))
}

/// The day of the next sitting of the same place.
async fn next_day(tx: &Tx, day: &talk_day::Model) -> Result<Option<NaiveDate>, Problem> {
    let next = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::OnDate)
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.on_date.gt(day.on_date))
        .order_by_asc(talk_day::Column::OnDate);
    Ok(next.into_tuple().one(tx).await?)
}

/// Where the day is; of a day above the villages, where the person lives.
async fn village_of(tx: &Tx, open: &Open, place: &division::Model) -> Result<DivisionId, Problem> {
    if place.level == DivisionLevel::Village {
        return Ok(place.id);
    }
    let person = person::Entity::find_by_id(open.booking.person_id).one(tx).await?;
    let village = person.and_then(|person| person.village_id);
    village.ok_or_else(|| Problem::field("/case", "no_village"))
}

/// Puts a matter on the council's list; listed before, it stays once and gets the new title.
async fn list_for_council(
    tx: &Tx,
    division: DivisionId,
    booking: &booking::Model,
    staff: StaffId,
    title: &str,
    now: Instant,
) -> Result<CouncilMatterId, Problem> {
    let row = council_matter::ActiveModel {
        id: Set(CouncilMatterId::fresh()),
        division_id: Set(division),
        booking_id: Set(booking.id),
        title: Set(title.trim().to_owned()),
        listed_by: Set(staff),
        listed_at: Set(now),
        taken_up_at: Set(None),
    };
    let again = OnConflict::column(council_matter::Column::BookingId)
        .update_columns([council_matter::Column::Title, council_matter::Column::ListedBy])
        .to_owned();
    council_matter::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    let listed = council_matter::Entity::find().filter(council_matter::COLUMN.booking_id.eq(booking.id));
    let listed = listed.one(tx).await?.ok_or_else(|| Problem::unexpected("a matter that was listed is not there"))?;
    Ok(listed.id)
}
