//! What is known of people and of what a notice is about, looked up once for many.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::{
    Instant,
    booking::{self, BookingPrivacy},
    case, consent,
    division::{self, DivisionLevel},
    id::{BookingId, CaseId, DivisionId, NoticeId, PersonId},
    notice,
    notice_delivery::{self, NoticeChannel},
    person,
    preferences::{Preferences, PreferredLanguage},
    refresh_token,
    sealed::Sealed,
    session, talk_day, wechat_account,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};

use super::{
    channels::Standing,
    kinds::{self, Kind},
    words::Told,
};
use crate::{
    app::App,
    config::NoticeTemplate,
    crypto::FieldKeys,
    db::{Tx, padded},
    personal::PhoneNumber,
    problem::{Language, Problem},
    subscriptions,
};

/// The consent by which people are told of progress.
const NOTIFICATIONS: &str = "notifications";

/// What a notice is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    pub(super) confidential: bool,
    pub(super) private: bool,
    pub(super) village: Option<DivisionId>,
    pub(super) township: Option<DivisionId>,
    /// Given for a case; of one that an agent filed it is theirs.
    pub(super) phone: Option<Sealed>,
    pub(super) by_agent: bool,
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
    /// Texts go to no phone of theirs, but to one that was given for one case.
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
    keys: FieldKeys,
}

/// Whether there is a phone there that takes text messages: landlines take none.
pub(super) fn takes_texts(keys: &FieldKeys, phone: Option<&Sealed>) -> bool {
    phone.is_some_and(|phone| keys.open::<PhoneNumber>(phone).is_ok_and(|phone| phone.is_mobile()))
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
        let openids: Vec<&str> = accounts.values().map(String::as_str).collect();
        let left = subscriptions::left_of(db, &openids, &templates).await?;
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
            keys: app.field_keys.clone(),
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
        let wishes = Preferences::of(&person.preferences);
        let withdrawn = self.consent.get(&person.id) == Some(&false);
        let openid = self.accounts.get(&person.id).cloned();
        let template = openid.as_ref().and_then(|openid| self.template(kind, openid)).cloned();
        let phone_of_a_case = !takes_texts(&self.keys, person.phone.as_ref());
        let phone = match (phone_of_a_case, self.may_go_to_phone_of_case(notice)) {
            (false, _) => person.phone.clone(),
            (true, true) => subject.phone.clone().filter(|phone| takes_texts(&self.keys, Some(phone))),
            (true, false) => None,
        };
        let standing = Standing {
            wechat: template.is_some() && wishes.channels.wechat,
            sms: self.sms_is_on && phone.is_some() && wishes.channels.sms,
            seen: self.seen.contains(&person.id),
            silent: withdrawn || (!wishes.channels.wechat && !wishes.channels.sms),
            gone: person.closed_at.is_some(),
            must: kind.must,
            urgency: kind.urgency,
        };
        let english = wishes.language == PreferredLanguage::En;
        Some(Known { standing, subject, openid, phone, phone_of_a_case, english, template })
    }

    /// Whether the phone that was given for its case may hear of it.
    pub(super) fn may_go_to_phone_of_case(&self, notice: &notice::Model) -> bool {
        let case = notice.case_id.and_then(|id| self.cases.get(&id));
        kinds::of(&notice.kind).may_go_to_phone_of_case(case.is_some_and(|case| case.by_agent))
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

/// What is known of the person now, and all that is told at once, without what they have read; none when the notice is
/// not there any more.
pub(super) async fn known_of(
    tx: &Tx,
    app: &App,
    row: &notice_delivery::Model,
    now: Instant,
) -> Result<Option<(Known, Told)>, Problem> {
    let mut ids: Vec<NoticeId> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::NoticeId)
        .filter(notice_delivery::COLUMN.merged_into.eq(row.id))
        .into_tuple()
        .all(tx)
        .await?;
    ids.push(row.notice_id);
    let notices = notice::Entity::find()
        .filter(notice::COLUMN.id.is_in(padded(ids)))
        .order_by_asc(notice::Column::Id)
        .all(tx)
        .await?;
    let Some(head) = notices.iter().find(|notice| notice.id == row.notice_id) else { return Ok(None) };
    let facts = Facts::look(tx, app, &notices, now).await?;
    let Some(mut known) = facts.of(head) else { return Ok(None) };
    known.standing.urgency = row.urgency;
    let notices: Vec<notice::Model> = notices.into_iter().filter(|notice| notice.read_at.is_none()).collect();
    known.standing.must = notices.iter().any(|notice| kinds::of(&notice.kind).must);
    if known.phone_of_a_case && !notices.iter().all(|notice| facts.may_go_to_phone_of_case(notice)) {
        (known.phone, known.standing.sms) = (None, false);
    }
    let language = if known.english { Language::En } else { Language::ZhCn };
    // What was gathered for WeChat may end as a text message to the phone of one case.
    let several = notices.iter().any(|notice| notice.case_id != row.case_id);
    let strange = row.channel == NoticeChannel::Sms && known.phone_of_a_case && several;
    Ok(Some((known, Told { notices, discreet: row.discreet || strange, language })))
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
            by_agent: case.agent_id.is_some(),
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
