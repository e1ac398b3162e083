//! A matter of a talk day that becomes a case: the same person, and one timeline with the booking.
//!
//! A public matter is filed at the desk like any other. A private one never lies where the desk could read it: it is
//! accepted and given to a host in the transaction that files it, and only who has it knows of it ([`super::super::scope`]).
//! A complaint about staff goes to the discipline desk and is gone from the sight of whoever heard it.

use chrono::NaiveDate;
use entity::{
    booking::{self, BookingChannel, BookingPrivacy},
    case::{self, CaseChannel},
    file::FileThing,
    id::{DivisionId, StaffId, UnitId},
    person,
};
use sea_orm::EntityTrait;

use super::{
    filing::{self, Filing},
    receiver::{self, Receiver},
};
use crate::{
    app::App,
    cases::{
        advance::{self, Act, By, Reckoning},
        near,
        take_up::TakeUpCase,
        workflow::{Action, Party},
    },
    clock::local_day,
    db::Tx,
    files::{self, Hanging},
    problem::{Code, Problem},
    settings,
};

/// What was heard, where, and by whom.
pub struct Heard<'a> {
    /// The booking whose matter it is.
    pub booking: &'a booking::Model,
    /// The village of the day.
    pub village: DivisionId,
    /// Who heard it.
    pub staff: StaffId,
    /// For which unit.
    pub unit: Option<UnitId>,
    /// The next talk day of the place.
    pub next_day: Option<NaiveDate>,
    /// Who may have a private matter: whoever heard it first, then the other hosts of the day.
    pub hosts: Vec<StaffId>,
}

/// Files the case.
///
/// # Errors
/// `invalid` with a pointer into the body; `no_handler` where a private matter finds no host who handles cases;
/// `conflict_of_interest` where the villager of a private matter is near to whoever files it.
pub async fn take_up(tx: &Tx, app: &App, heard: Heard<'_>, body: &TakeUpCase) -> Result<case::Model, Problem> {
    let booking = heard.booking;
    let person = person::Entity::find_by_id(booking.person_id).one(tx).await?;
    let private = booking.privacy == BookingPrivacy::Private;
    let by_phone = booking.mode == "phone" || booking.channel == BookingChannel::Phone;
    let filing = Filing {
        matter: body.matter(&booking.summary, &booking.topic),
        division: heard.village,
        against: body.against.clone(),
        confidential: false,
        person: person.ok_or_else(|| Problem::unexpected("a booking of nobody"))?,
        channel: if by_phone { CaseChannel::Phone } else { CaseChannel::WalkIn },
        entered_by: Some(heard.staff),
        agent: None,
        booking: Some(booking.id),
        next_talk_on: heard.next_day,
        private,
        public: false,
        reason: None,
        draft: false,
        papers: vec![],
        evidence: None,
        client_time: None,
    };
    let by = By::staff(heard.staff, heard.unit);
    let filed = filing::insert(tx, app, vec![Ok((filing, by))]).await?.pop();
    let case = filed.unwrap_or_else(|| Err(Problem::unexpected("no case")))?;
    // Its photos go where the case goes: of a complaint they are gone from the sight of the village.
    let (matter, filed) = (Hanging::on(FileThing::Booking, booking.id.0), Hanging::on(FileThing::Case, case.id.0));
    files::move_thing(tx, matter, filed).await?;
    // A complaint lies with the discipline desk, whoever heard it.
    if private && !case.confidential { give_to_a_host(tx, app, case, &heard).await } else { Ok(case) }
}

async fn give_to_a_host(tx: &Tx, app: &App, case: case::Model, heard: &Heard<'_>) -> Result<case::Model, Problem> {
    let now = app.clock.now();
    let Receiver { to, note, evidence } = host_for(tx, &case, heard, app).await?;
    let by = By {
        parties: vec![Party::Desk, Party::Dispatcher],
        near: near::barred(tx, &case, heard.staff).await?,
        ..By::staff(heard.staff, heard.unit)
    };
    let clocks = settings::of_case(app, &case);
    let reckoning = Reckoning { now, clocks: &clocks };
    let accepted = advance::advance(tx, reckoning, case, &by, Act::plain(Action::Accept)).await?;
    let assign = Act { to: Some(to), note, evidence, ..Act::plain(Action::Assign) };
    advance::advance(tx, reckoning, accepted, &by, assign).await
}

/// The first host who handles cases here and is not near to the villager.
async fn host_for(tx: &Tx, case: &case::Model, heard: &Heard<'_>, app: &App) -> Result<Receiver, Problem> {
    let today = local_day(app.clock.now());
    let others = heard.hosts.iter().copied().filter(|host| *host != heard.staff);
    for host in std::iter::once(heard.staff).chain(others) {
        match receiver::find(tx, case, Some(host), None, today).await {
            Ok(receiver) => return Ok(receiver),
            Err(problem) if matches!(problem.code(), Code::Invalid | Code::ConflictOfInterest) => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(Problem::field("", "no_handler"))
}
