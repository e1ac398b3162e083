//! Acting for others: what an authorisation lets its agent do, and the record of every use.
//!
//! An authorisation counts while it is not revoked and its last day is not over; each call looks it up again, so that
//! revoking works at once (民法典 173). Every use is written down and told to the principal, and to the family contact
//! by a text message (个人信息保护法 49 by analogy; product rule: acts of an agent carry both names).

use chrono::NaiveDate;
use entity::{
    Instant, authorisation, authorisation_use,
    case::{self, CaseKind},
    id::{AuthorisationId, AuthorisationUseId, BookingId, CaseId, PersonId},
    notice_delivery::NoticeUrgency,
    person, service_item,
};
use rust_i18n::t;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    jobs::{self, Text},
    notices::{self, About, Telling, hours},
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Code, Problem},
};

/// One word of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeWord {
    /// `talk`: places on talk days, and cases that came of them.
    Talk,
    /// `voice`: concerns (民情代理).
    Voice,
    /// `proxy:*`: every errand (民事代办).
    AnyProxy,
    /// `proxy:{item code}`: errands of one item.
    Proxy(String),
}

impl ScopeWord {
    /// Reads a word; `None` when it is none.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "talk" => Some(Self::Talk),
            "voice" => Some(Self::Voice),
            "proxy:*" => Some(Self::AnyProxy),
            _ => word.strip_prefix("proxy:").filter(|code| !code.is_empty()).map(|code| Self::Proxy(code.to_owned())),
        }
    }

    /// The need of a case that is to be filed.
    #[must_use]
    pub fn of_case(kind: CaseKind, item: Option<&str>) -> Self {
        match (kind, item) {
            (CaseKind::Talk, _) => Self::Talk,
            (CaseKind::Voice, _) => Self::Voice,
            (CaseKind::Proxy, Some(code)) => Self::Proxy(code.to_owned()),
            (CaseKind::Proxy, None) => Self::AnyProxy,
        }
    }

    fn covers(&self, need: &Self) -> bool {
        self == need || (*self == Self::AnyProxy && matches!(need, Self::Proxy(_)))
    }
}

/// A living authorisation of an agent.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Which.
    pub id: AuthorisationId,
    /// For whom.
    pub principal: PersonId,
    words: Vec<ScopeWord>,
}

impl Grant {
    fn of(row: authorisation::Model) -> Self {
        let words: Vec<String> = serde_json::from_value(row.scope).unwrap_or_default();
        let words = words.iter().filter_map(|word| ScopeWord::read(word)).collect();
        Self { id: row.id, principal: row.principal_id, words }
    }

    /// Whether it is enough.
    #[must_use]
    pub fn covers(&self, need: &ScopeWord) -> bool {
        self.words.iter().any(|word| word.covers(need))
    }

    /// The cases it opens: of the principal, of its kinds; confidential and private ones only when this agent filed them.
    #[must_use]
    pub fn cases(&self, agent: PersonId) -> Condition {
        let mut kinds = Condition::any();
        for word in &self.words {
            kinds = kinds.add(match word {
                ScopeWord::Talk => case::COLUMN.kind.eq(CaseKind::Talk),
                ScopeWord::Voice => case::COLUMN.kind.eq(CaseKind::Voice),
                ScopeWord::AnyProxy => case::COLUMN.kind.eq(CaseKind::Proxy),
                ScopeWord::Proxy(code) => {
                    let item = service_item::Entity::find()
                        .select_only()
                        .column(service_item::Column::Id)
                        .filter(service_item::COLUMN.code.eq(code.as_str()));
                    case::COLUMN.kind.eq(CaseKind::Proxy).and(case::Column::ItemId.in_subquery(item.into_query()))
                }
            });
        }
        let by_me = || case::COLUMN.agent_id.eq(agent);
        Condition::all()
            .add(case::COLUMN.person_id.eq(self.principal))
            .add(kinds)
            .add(case::COLUMN.confidential.eq(false).or(by_me()))
            .add(case::COLUMN.private.eq(false).or(by_me()))
            .add(case::COLUMN.state.ne(case::CaseState::Draft).or(by_me()))
    }
}

fn living(today: NaiveDate) -> Condition {
    Condition::all().add(authorisation::COLUMN.revoked_at.is_null()).add(authorisation::COLUMN.until.gte(today))
}

/// Every living authorisation of an agent.
pub async fn grants(db: &impl ConnectionTrait, agent: &Villager, today: NaiveDate) -> Result<Vec<Grant>, Problem> {
    let rows = authorisation::Entity::find()
        .filter(authorisation::COLUMN.agent_id.eq(agent.person()))
        .filter(living(today))
        .order_by_asc(authorisation::Column::Id);
    Ok(rows.all(db).await?.into_iter().map(Grant::of).collect())
}

/// The authorisation by which somebody may do this for that person.
///
/// # Errors
/// `no_authorisation`, also for persons that do not exist.
pub async fn authority(
    db: &impl ConnectionTrait,
    agent: &Villager,
    principal: PersonId,
    need: &ScopeWord,
    today: NaiveDate,
) -> Result<Grant, Problem> {
    let grants = grants(db, agent, today).await?;
    let enough = grants.into_iter().find(|grant| grant.principal == principal && grant.covers(need));
    enough.ok_or_else(|| Code::NoAuthorisation.into())
}

/// What an agent did.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// A verb: `file_case`, `book_slot`, the action on a case.
    pub action: &'static str,
    /// On which case.
    pub case: Option<CaseId>,
    /// On which booking.
    pub booking: Option<BookingId>,
}

/// Writes a use down and tells the principal and the family contact of it.
pub async fn used(tx: &Tx, app: &App, grant: &Grant, what: Use, now: Instant) -> Result<(), Problem> {
    let row = authorisation_use::ActiveModel {
        id: Set(AuthorisationUseId::fresh()),
        authorisation_id: Set(grant.id),
        action: Set(what.action.to_owned()),
        case_id: Set(what.case),
        booking_id: Set(what.booking),
        at: Set(now),
    };
    authorisation_use::Entity::insert(row).exec_without_returning(tx).await?;
    let about = match (what.case, what.booking) {
        (Some(case), _) => About::Case(case),
        (_, Some(booking)) => About::Booking(booking),
        _ => About::Oneself,
    };
    let params = serde_json::json!({"action": what.action});
    let telling = Telling { person: grant.principal, kind: "agent_acted", about, params };
    notices::tell(tx, vec![telling], now).await?;
    tell_family(tx, app, grant.principal, now).await
}

/// The family contact needs no app: a text message with masked names, not at night, and one for what an agent does in ten
/// minutes.
async fn tell_family(tx: &Tx, app: &App, principal: PersonId, now: Instant) -> Result<(), Problem> {
    let Some(row) = person::Entity::find_by_id(principal).one(tx).await? else { return Ok(()) };
    let (Some(phone), true) = (app.field_keys.open_if::<PhoneNumber>(row.family_phone.as_ref())?, app.sms.is_on())
    else {
        return Ok(());
    };
    if !phone.is_mobile() {
        return Ok(());
    }
    let name = app.field_keys.open_if::<PersonName>(row.name.as_ref())?;
    let name = name.map_or_else(|| "*".to_owned(), |name| name.masked());
    let words = t!("sms.agent_acted", locale = "zh-CN", name = name).into_owned();
    let at = hours::held_until(&app.config.notices, NoticeUrgency::Normal, principal, now).unwrap_or(now);
    let sort = Some(format!("agent of {principal}"));
    jobs::enqueue_sms(tx, app, Text { to: &phone, words, at, until: None, sort }).await
}

/// Authorisations that named only a phone find their agent once the phone is proven.
///
/// Where the principal gave the agent's name, it must be theirs too: phones are shared, and numbers are given out again.
pub async fn bind_by_phone(
    tx: &Tx,
    app: &App,
    agent: &person::Model,
    phone_hash: &str,
    now: Instant,
) -> Result<(), Problem> {
    let waiting = authorisation::Entity::find()
        .filter(authorisation::COLUMN.agent_phone_hash.eq(phone_hash))
        .filter(authorisation::COLUMN.agent_id.is_null())
        .filter(authorisation::COLUMN.principal_id.ne(agent.id))
        .filter(living(local_day(now)));
    for row in waiting.all(tx).await? {
        let wanted = app.field_keys.open_if::<PersonName>(row.agent_name.as_ref())?;
        let wanted = wanted.map(|name| app.field_keys.hash_of(&name)).transpose()?;
        if wanted.is_some() && wanted != agent.name_hash {
            continue;
        }
        authorisation::Entity::update_many()
            .col_expr(authorisation::Column::AgentId, Expr::val(agent.id))
            .filter(authorisation::COLUMN.id.eq(row.id))
            .filter(authorisation::COLUMN.agent_id.is_null())
            .exec(tx)
            .await?;
        let (person, kind, params) = (row.principal_id, "agent_found", serde_json::json!({}));
        notices::tell(tx, vec![Telling { person, kind, about: About::Oneself, params }], now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cover_what_they_say_and_no_more() {
        let word = |text: &str| ScopeWord::read(text).unwrap();
        assert!(word("proxy:*").covers(&word("proxy:A1")));
        assert!(word("proxy:A1").covers(&word("proxy:A1")));
        assert!(!word("proxy:A1").covers(&word("proxy:A2")));
        assert!(!word("proxy:A1").covers(&word("proxy:*")));
        assert!(!word("voice").covers(&word("talk")));
        for wrong in ["", "proxy", "proxy:", "all", "*"] {
            assert_eq!(ScopeWord::read(wrong), None, "{wrong}");
        }
    }
}
