//! Being forgotten, and how long anything is kept (个人信息保护法 47; 归档: 信访工作条例, 档案法).
//!
//! The account goes at once; the archive of cases must be kept for its time and then loses every name. What is kept is
//! said with the reason and the day until which.

use chrono::{Months, NaiveDate, TimeDelta};
use entity::{
    Instant, authorisation, consent, data_export, file::FileThing, id::PersonId, idempotent_answer, notice,
    notice_delivery, person, phone_code, refresh_token, residence_claim, session, throttle, wechat_account,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::Expr,
};

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::Villager,
    cases,
    clock::local_day,
    content,
    db::Tx,
    files,
    problem::{Code, Problem},
    publications, pushes, subscriptions, talks,
};

/// What stays after somebody was forgotten.
#[derive(Clone, Debug)]
pub struct Kept {
    /// `cases`, `open_cases`, `talk_records`, `signatures`, `audit`, `consents`.
    pub what: &'static str,
    /// How many, where that says something.
    pub count: Option<u64>,
    /// The last day, when it is known already.
    pub until: Option<NaiveDate>,
}

/// Takes the account and what only it needed away.
pub async fn forget(tx: &Tx, app: &App, me: &Villager, now: Instant) -> Result<Vec<Kept>, Problem> {
    let id = me.person();
    let row = person::Entity::find_by_id(id).one(tx).await?.ok_or(Problem::new(Code::SessionEnded))?;
    talks::cancel_all(tx, id, now).await?;
    let said = talks::forget_said(tx, id).await?;
    let archive = cases::forget_drafts(tx, id).await?;
    end_authorisations(tx, id, now).await?;
    forget_wechat(tx, app, id).await?;
    content::forget_person(tx, id).await?;
    publications::forget_person(tx, &app.field_keys, id, now).await?;
    files::drop_unattached(tx, id).await?;
    files::drop_uploads(tx, id).await?;
    end_access(tx, id, now).await?;
    macro_rules! deleted {
        ($($table:ident: $field:ident),*) => {$(
            $table::Entity::delete_many().filter($table::COLUMN.$field.eq(id)).exec(tx).await?;
        )*};
    }
    residence_claim::Entity::update_many()
        .col_expr(residence_claim::Column::HolderId, Expr::value(Option::<PersonId>::None))
        .filter(residence_claim::COLUMN.holder_id.eq(id))
        .exec(tx)
        .await?;
    deleted!(notice_delivery: person_id, notice: person_id, data_export: person_id, residence_claim: person_id, phone_code: person_id);
    idempotent_answer::Entity::delete_many().filter(idempotent_answer::COLUMN.caller.eq(id.0)).exec(tx).await?;
    empty(tx, row, now).await?;
    audit::record(tx, &app.field_keys, &Actor::villager(me), Entry::done("forget_person", "person", id), now).await?;
    let years = Months::new(app.config.privacy.case_archive_years.saturating_mul(12));
    let until = local_day(archive.last_closed_at.unwrap_or(now)).checked_add_months(years);
    let mut kept =
        vec![Kept { what: "audit", count: None, until: None }, Kept { what: "consents", count: None, until: None }];
    if archive.closed > 0 {
        kept.push(Kept { what: "cases", count: Some(archive.closed), until });
    }
    if archive.open > 0 {
        kept.push(Kept { what: "open_cases", count: Some(archive.open), until: None });
    }
    if said.matters > 0 {
        let until = said.last_on.and_then(|day| day.checked_add_months(years));
        kept.push(Kept { what: "talk_records", count: Some(said.matters), until });
    }
    if said.signatures > 0 {
        kept.push(Kept { what: "signatures", count: Some(said.signatures), until: None });
    }
    Ok(kept)
}

async fn empty(tx: &Tx, row: person::Model, now: Instant) -> Result<(), Problem> {
    let blank = person::ActiveModel::of_nobody_yet(row.created_at);
    let mut row = row.into_active_model();
    row.name = blank.name;
    row.name_hash = blank.name_hash;
    row.phone = blank.phone;
    row.phone_hash = blank.phone_hash;
    row.citizen_no = blank.citizen_no;
    row.citizen_no_hash = blank.citizen_no_hash;
    row.village_id = blank.village_id;
    row.verified = blank.verified;
    row.household_id = blank.household_id;
    row.group_name = blank.group_name;
    row.minor = blank.minor;
    row.priority_from = blank.priority_from;
    row.priority_until = blank.priority_until;
    row.family_name = blank.family_name;
    row.family_phone = blank.family_phone;
    row.preferences = blank.preferences;
    row.closed_at = Set(Some(now));
    row.update(tx).await?;
    Ok(())
}

/// What WeChat told of them, and what they would be sent.
async fn forget_wechat(tx: &Tx, app: &App, id: PersonId) -> Result<(), Problem> {
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(id)).one(tx).await?;
    if let Some(account) = account {
        pushes::forget_sender(tx, app, &account.openid).await?;
    }
    subscriptions::forget(tx, id).await
}

async fn end_access(tx: &Tx, id: PersonId, now: Instant) -> Result<(), Problem> {
    wechat_account::Entity::delete_many().filter(wechat_account::COLUMN.person_id.eq(id)).exec(tx).await?;
    let mine =
        session::Entity::find().select_only().column(session::Column::Id).filter(session::COLUMN.person_id.eq(id));
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.in_subquery(mine.into_query()))
        .exec(tx)
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::val(now))
        .filter(session::COLUMN.person_id.eq(id))
        .filter(session::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    // Proof that consent was given stays; the guardian it names does not.
    consent::Entity::update_many()
        .col_expr(consent::Column::GuardianName, Expr::value(Option::<String>::None))
        .col_expr(consent::Column::GuardianPhone, Expr::value(Option::<String>::None))
        .filter(consent::COLUMN.person_id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

async fn end_authorisations(tx: &Tx, id: PersonId, now: Instant) -> Result<(), Problem> {
    let theirs =
        Condition::any().add(authorisation::COLUMN.principal_id.eq(id)).add(authorisation::COLUMN.agent_id.eq(id));
    authorisation::Entity::update_many()
        .col_expr(authorisation::Column::RevokedAt, Expr::val(now))
        .filter(theirs.clone())
        .filter(authorisation::COLUMN.revoked_at.is_null())
        .exec(tx)
        .await?;
    blank_authorisations(tx, theirs).await
}

async fn blank_authorisations(tx: &Tx, which: Condition) -> Result<(), Problem> {
    let nothing = || Expr::value(Option::<String>::None);
    let these = authorisation::Entity::find().select_only().column(authorisation::Column::Id).filter(which.clone());
    files::drop_of_those(tx, FileThing::Authorisation, these.into_query()).await?;
    authorisation::Entity::update_many()
        .col_expr(authorisation::Column::EvidenceFile, Expr::value(Option::<uuid::Uuid>::None))
        .col_expr(authorisation::Column::AgentName, nothing())
        .col_expr(authorisation::Column::AgentPhone, nothing())
        .col_expr(authorisation::Column::AgentPhoneHash, nothing())
        .col_expr(authorisation::Column::EvidenceText, nothing())
        .col_expr(authorisation::Column::Witness, nothing())
        .filter(which)
        .exec(tx)
        .await?;
    Ok(())
}

/// Throws away what has outlived its purpose: everything has a day.
pub async fn retain(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            let before = |days| now - TimeDelta::days(days);
            data_export::Entity::delete_many().filter(data_export::COLUMN.expires_at.lt(now)).exec(tx).await?;
            phone_code::Entity::delete_many().filter(phone_code::COLUMN.expires_at.lt(now)).exec(tx).await?;
            // Keys of throttles hold client addresses; no window is longer than a day.
            throttle::Entity::delete_many().filter(throttle::COLUMN.window_starts_at.lt(before(2))).exec(tx).await?;
            residence_claim::Entity::delete_many()
                .filter(residence_claim::COLUMN.decided_at.lt(before(365)))
                .exec(tx)
                .await?;
            notice::Entity::delete_many().filter(notice::COLUMN.created_at.lt(before(2 * 365))).exec(tx).await?;
            // What an authorisation rested on is nobody's business a year after it ended.
            let ended = authorisation::COLUMN.until.lt(local_day(before(365)));
            blank_authorisations(tx, Condition::all().add(ended)).await?;
            talks::drop_cancelled(tx, before(3 * 365)).await
        })
        .await?;
    talks::anonymise_old(app).await?;
    cases::anonymise_old(app).await
}
