//! Reading and changing the ledger.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{
    Instant,
    id::PersonId,
    subscription::{self, SubscriptionAnswer},
    wechat_account,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};

use super::ledger::{self, Report, Teller};
use crate::{
    app::App,
    auth::Villager,
    config::NoticeTemplate,
    db::Tx,
    problem::{Code, FieldFault, Problem},
};

fn template<'a>(app: &'a App, id: &str) -> Option<&'a NoticeTemplate> {
    app.config.notices.templates.iter().find(|template| template.id == id)
}

/// Pairs of openid and template, among these, of which a message is left.
pub async fn left_of(
    db: &impl ConnectionTrait,
    openids: &[&str],
    templates: &[NoticeTemplate],
) -> Result<HashSet<(String, String)>, Problem> {
    if openids.is_empty() || templates.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<(String, String)> = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::Openid)
        .column(subscription::Column::TemplateId)
        .filter(subscription::COLUMN.openid.is_in(openids.iter().copied()))
        .filter(subscription::COLUMN.template_id.is_in(templates.iter().map(|template| template.id.as_str())))
        .filter(subscription::COLUMN.remaining.gt(0))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// A message went (errcode 0).
pub async fn spent(tx: &Tx, openid: &str, template_id: &str, now: Instant) -> Result<(), Problem> {
    if let Some(mut row) = locked(tx, openid, template_id).await? {
        ledger::spent(&mut row, now);
        write(tx, row).await?;
    }
    Ok(())
}

/// WeChat says that nothing was left (errcode 43101) for the message that was sent at `at`. What they accepted while its
/// answer was on its way is not touched.
pub async fn exhausted(tx: &Tx, openid: &str, template_id: &str, at: Instant, now: Instant) -> Result<(), Problem> {
    if let Some(mut row) = locked(tx, openid, template_id).await? {
        ledger::emptied(&mut row, at, now);
        write(tx, row).await?;
    }
    Ok(())
}

/// What the popup's event tells; says whether user and template are known.
pub async fn popup(
    tx: &Tx,
    app: &App,
    openid: &str,
    template_id: &str,
    report: Report,
    at: Instant,
    now: Instant,
) -> Result<bool, Problem> {
    let Some(mut row) = of_user(tx, app, openid, template_id, now).await? else { return Ok(false) };
    match report {
        Report::Accepted => ledger::accepted(&mut row, Teller::Event, at, now),
        Report::Refused => ledger::answered(&mut row, SubscriptionAnswer::Reject, now),
    }
    write(tx, row).await?;
    Ok(true)
}

/// Somebody switched a template off in WeChat's own list of notices; says whether user and template are known.
pub async fn switched_off(
    tx: &Tx,
    app: &App,
    openid: &str,
    template_id: &str,
    at: Instant,
    now: Instant,
) -> Result<bool, Problem> {
    let Some(mut row) = of_user(tx, app, openid, template_id, now).await? else { return Ok(false) };
    ledger::answered(&mut row, SubscriptionAnswer::Reject, now);
    ledger::emptied(&mut row, at, now);
    write(tx, row).await?;
    Ok(true)
}

/// Forgets what somebody accepted; before their account goes.
pub async fn forget(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(person)).one(tx).await?;
    if let Some(account) = account {
        let theirs = subscription::COLUMN.openid.eq(account.openid);
        subscription::Entity::delete_many().filter(theirs).exec(tx).await?;
    }
    Ok(())
}

/// A template, and where somebody stands with it.
pub(super) type Standing<'a> = (&'a NoticeTemplate, Option<subscription::Model>);

/// Every configured template for one person.
pub(super) async fn standing<'a>(
    db: &impl ConnectionTrait,
    app: &'a App,
    me: &Villager,
) -> Result<Vec<Standing<'a>>, Problem> {
    let account = account(db, me).await?;
    let rows =
        subscription::Entity::find().filter(subscription::COLUMN.openid.eq(account.openid)).limit(500).all(db).await?;
    let mut rows: HashMap<String, subscription::Model> =
        rows.into_iter().map(|row| (row.template_id.clone(), row)).collect();
    Ok(app.config.notices.templates.iter().map(|template| (template, rows.remove(&template.id))).collect())
}

/// What the page was answered.
///
/// # Errors
/// `unknown` at a template that is not configured.
pub(super) async fn report(
    tx: &Tx,
    app: &App,
    me: &Villager,
    answers: &BTreeMap<String, SubscriptionAnswer>,
    now: Instant,
) -> Result<(), Problem> {
    let unknown: Vec<FieldFault> = answers
        .keys()
        .filter(|id| template(app, id).is_none())
        .map(|id| FieldFault::new(format!("/answers/{}", id.replace('~', "~0").replace('/', "~1")), "unknown"))
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown));
    }
    let account = account(tx, me).await?;
    for (id, answer) in answers {
        let Some(mut row) = of_user(tx, app, &account.openid, id, now).await? else { continue };
        match answer {
            SubscriptionAnswer::Accept => ledger::accepted(&mut row, Teller::Page, now, now),
            other => ledger::answered(&mut row, *other, now),
        }
        write(tx, row).await?;
    }
    Ok(())
}

/// Who is signed in has a WeChat account, or is not signed in any more.
async fn account(db: &impl ConnectionTrait, me: &Villager) -> Result<wechat_account::Model, Problem> {
    let theirs = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(me.person()));
    theirs.one(db).await?.ok_or(Code::SessionEnded.into())
}

async fn locked(tx: &Tx, openid: &str, template_id: &str) -> Result<Option<subscription::Model>, Problem> {
    let row = subscription::Entity::find_by_id((openid.to_owned(), template_id.to_owned()));
    Ok(row.lock(LockType::Update).one(tx).await?)
}

/// The row of a user and a template, locked, made when it is not there; none when either is unknown.
async fn of_user(
    tx: &Tx,
    app: &App,
    openid: &str,
    template_id: &str,
    now: Instant,
) -> Result<Option<subscription::Model>, Problem> {
    let Some(template) = template(app, template_id) else { return Ok(None) };
    if wechat_account::Entity::find_by_id(openid.to_owned()).one(tx).await?.is_none() {
        return Ok(None);
    }
    let first = ledger::fresh(openid, template_id, template.long_term, now).into_active_model();
    let known = OnConflict::columns([subscription::Column::Openid, subscription::Column::TemplateId]);
    let known = { known }.do_nothing().to_owned();
    subscription::Entity::insert(first).on_conflict(known).exec_without_returning(tx).await?;
    let row = locked(tx, openid, template_id).await?;
    // The configuration says what a template is, whatever it was when the row was made.
    Ok(row.map(|row| subscription::Model { long_term: template.long_term, ..row }))
}

async fn write(tx: &Tx, row: subscription::Model) -> Result<(), Problem> {
    row.into_active_model().reset_all().update(tx).await?;
    Ok(())
}
