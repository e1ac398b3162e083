//! What is known of people and of what a notice is about, looked up once for many.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::{
    Instant,
    booking::{self, BookingPrivacy},
    case, consent,
    division::{self, DivisionLevel},
    id::{BookingId, CaseId, DivisionId, PersonId},
    notice, person, refresh_token,
    sealed::Sealed,
    session, talk_day, wechat_account,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;

use super::{
    channels::Standing,
    kinds::{self, Kind},
    ledger,
};
use crate::{app::App, config::NoticeTemplate, db::padded, problem::Problem};

/// The consent by which people are told of progress.
const NOTIFICATIONS: &str = "notifications";

/// How somebody wants to be told; the part of the preferences that counts here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
struct Channels {
    wechat: bool,
    sms: bool,
}

impl Default for Channels {
    fn default() -> Self {
        Self { wechat: true, sms: true }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Preferences {
    language: Option<String>,
    channels: Channels,
}

/// What a notice is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    pub(super) confidential: bool,
    pub(super) private: bool,
    pub(super) village: Option<DivisionId>,
    pub(super) township: Option<DivisionId>,
    pub(super) phone: Option<Sealed>,
}

/// Where a booking is, and whether others may hear of its matter.
#[derive(Clone, Copy, Debug)]
struct Booked {
    place: DivisionId,
    private: bool,
}

/// What is known of one person for one notice.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) standing: Standing,
    pub(super) subject: Subject,
    pub(super) openid: Option<String>,
    pub(super) phone: Option<Sealed>,
    /// The phone is not theirs: it was given for one case.
    pub(super) phone_of_a_case: bool,
    pub(super) english: bool,
    pub(super) template: Option<NoticeTemplate>,
}

/// What was looked up.
pub(super) struct Facts {
    people: HashMap<PersonId, person::Model>,
    accounts: HashMap<PersonId, String>,
    seen: HashSet<PersonId>,
    consent: HashMap<PersonId, bool>,
    cases: HashMap<CaseId, Subject>,
    bookings: HashMap<BookingId, Booked>,
    townships: HashMap<DivisionId, Option<DivisionId>>,
    left: HashSet<(String, String)>,
    templates: Vec<NoticeTemplate>,
    sms_is_on: bool,
}

impl Facts {
    /// Everything that these notices ask for.
    pub(super) async fn look(
        db: &impl ConnectionTrait,
        app: &App,
        notices: &[notice::Model],
        now: Instant,
    ) -> Result<Self, Problem> {
        let ids: HashSet<PersonId> = notices.iter().map(|notice| notice.person_id).collect();
        let ids = padded(ids);
        let people = person::Entity::find().filter(person::COLUMN.id.is_in(ids.clone())).all(db).await?;
        let accounts: HashMap<PersonId, String> = wechat_account::Entity::find()
            .filter(wechat_account::COLUMN.person_id.is_in(ids.clone()))
            .all(db)
            .await?
            .into_iter()
            .map(|account| (account.person_id, account.openid))
            .collect();
        let templates = app.config.notices.templates.clone();
        let left = ledger::left(db, &accounts, &templates).await?;
        let cases = cases(db, notices).await?;
        let bookings = bookings(db, notices).await?;
        let mut places: HashSet<DivisionId> = people.iter().filter_map(|person| person.village_id).collect();
        places.extend(bookings.values().map(|booked| booked.place));
        Ok(Self {
            seen: seen(db, &ids, now - TimeDelta::days(app.config.notices.seen_within_days.into())).await?,
            consent: consents(db, &ids).await?,
            people: people.into_iter().map(|person| (person.id, person)).collect(),
            townships: townships(db, places).await?,
            sms_is_on: app.sms.is_on(),
            accounts,
            cases,
            bookings,
            left,
            templates,
        })
    }

    /// What counts for one notice; none when its person is not there any more.
    pub(super) fn of(&self, notice: &notice::Model) -> Option<Known> {
        let person = self.people.get(&notice.person_id)?;
        let kind = kinds::of(&notice.kind);
        let subject = self.subject(notice, person);
        let wishes: Preferences = serde_json::from_value(person.preferences.clone()).unwrap_or_default();
        let withdrawn = self.consent.get(&person.id) == Some(&false);
        let openid = self.accounts.get(&person.id).cloned();
        let template = openid.as_ref().and_then(|openid| self.template(kind, openid)).cloned();
        let phone = person.phone.clone().or_else(|| subject.phone.clone());
        let standing = Standing {
            wechat: template.is_some() && wishes.channels.wechat,
            sms: self.sms_is_on && phone.is_some() && wishes.channels.sms,
            seen: self.seen.contains(&person.id),
            silent: withdrawn || (!wishes.channels.wechat && !wishes.channels.sms),
            gone: person.closed_at.is_some(),
            must: kind.must,
            urgency: kind.urgency,
        };
        let english = wishes.language.as_deref() == Some("en");
        let phone_of_a_case = person.phone.is_none();
        Some(Known { standing, subject, openid, phone, phone_of_a_case, english, template })
    }

    /// The template for a kind of which a message is left, its own before those for anything.
    fn template(&self, kind: Kind, openid: &str) -> Option<&NoticeTemplate> {
        let usable = |template: &&NoticeTemplate| self.left.contains(&(openid.to_owned(), template.id.clone()));
        let of = |purpose: &str| self.templates.iter().filter(usable).find(|template| template.purpose == purpose);
        of(kind.purpose.slug()).or_else(|| of(kinds::Purpose::General.slug()))
    }

    fn subject(&self, notice: &notice::Model, person: &person::Model) -> Subject {
        if let Some(case) = notice.case_id.and_then(|id| self.cases.get(&id)) {
            return case.clone();
        }
        let booked = notice.booking_id.and_then(|id| self.bookings.get(&id));
        let place = booked.map(|booked| booked.place).or(person.village_id);
        let township = place.and_then(|place| self.townships.get(&place).copied().flatten());
        let private = booked.is_some_and(|booked| booked.private);
        Subject { village: place, township, private, ..Subject::default() }
    }
}

/// Who used the app since a day: signing in and every half hour of use renew a token.
async fn seen(db: &impl ConnectionTrait, people: &[PersonId], since: Instant) -> Result<HashSet<PersonId>, Problem> {
    let of_session = refresh_token::Entity::belongs_to(session::Entity)
        .from(refresh_token::Column::SessionId)
        .to(session::Column::Id);
    let rows: Vec<Option<PersonId>> = refresh_token::Entity::find()
        .select_only()
        .column(session::Column::PersonId)
        .join(JoinType::InnerJoin, of_session.into())
        .filter(session::COLUMN.person_id.is_in(people.iter().copied()))
        .filter(session::COLUMN.ended_at.is_null())
        .filter(refresh_token::COLUMN.issued_at.gte(since))
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().flatten().collect())
}

/// The last word of each on being told.
async fn consents(db: &impl ConnectionTrait, people: &[PersonId]) -> Result<HashMap<PersonId, bool>, Problem> {
    let rows = consent::Entity::find()
        .filter(consent::COLUMN.person_id.is_in(people.iter().copied()))
        .filter(consent::COLUMN.purpose.eq(NOTIFICATIONS))
        .order_by_asc(consent::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.granted)).collect())
}

async fn cases(db: &impl ConnectionTrait, notices: &[notice::Model]) -> Result<HashMap<CaseId, Subject>, Problem> {
    let ids: HashSet<CaseId> = notices.iter().filter_map(|notice| notice.case_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = case::Entity::find().filter(case::COLUMN.id.is_in(padded(ids))).all(db).await?;
    let subject = |case: case::Model| {
        let subject = Subject {
            confidential: case.confidential,
            private: case.private,
            village: Some(case.village_id),
            township: Some(case.township_id),
            phone: case.contact_phone,
        };
        (case.id, subject)
    };
    Ok(rows.into_iter().map(subject).collect())
}

async fn bookings(db: &impl ConnectionTrait, notices: &[notice::Model]) -> Result<HashMap<BookingId, Booked>, Problem> {
    let ids: HashSet<BookingId> = notices.iter().filter_map(|notice| notice.booking_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let of_day =
        booking::Entity::belongs_to(talk_day::Entity).from(booking::Column::TalkDayId).to(talk_day::Column::Id);
    let rows: Vec<(BookingId, BookingPrivacy, DivisionId)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .column(booking::Column::Privacy)
        .column(talk_day::Column::DivisionId)
        .join(JoinType::InnerJoin, of_day.into())
        .filter(booking::COLUMN.id.is_in(padded(ids)))
        .into_tuple()
        .all(db)
        .await?;
    let booked = |(id, privacy, place)| (id, Booked { place, private: privacy == BookingPrivacy::Private });
    Ok(rows.into_iter().map(booked).collect())
}

/// The township of each place; that of a township is itself.
async fn townships(
    db: &impl ConnectionTrait,
    places: HashSet<DivisionId>,
) -> Result<HashMap<DivisionId, Option<DivisionId>>, Problem> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(DivisionId, DivisionLevel, Option<DivisionId>)> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::Level)
        .column(division::Column::TownshipId)
        .filter(division::COLUMN.id.is_in(padded(places)))
        .into_tuple()
        .all(db)
        .await?;
    let own = |(id, level, township)| (id, if level == DivisionLevel::Township { Some(id) } else { township });
    Ok(rows.into_iter().map(own).collect())
}
