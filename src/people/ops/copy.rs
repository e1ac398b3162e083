//! A copy of one's own data (个人信息保护法 45): as JSON for machines and as a page for people.
//!
//! It is put together by a job, sealed like everything else that is private, and thrown away after some days.

use chrono::TimeDelta;
use entity::{
    Instant, audit_entry, authorisation, case, case_event, consent, data_export,
    file::{self, FileState},
    id::{CaseId, DataExportId, PersonId},
    notice, person, residence_claim, review, session, wechat_account,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::{Value, json};

use super::{copy_public, copy_talks};
use crate::{
    app::App,
    auth::{Villager, count_try},
    crypto::FieldKeys,
    db::Tx,
    jobs::{self, Job},
    personal::{CitizenNumber, PersonName, Personal, PhoneNumber, PrivateText},
    problem::{Code, Problem},
};

/// Copies a day.
const A_DAY: u32 = 3;

/// Asks for a copy.
///
/// # Errors
/// `too_many_requests`.
pub async fn ask(tx: &Tx, app: &App, me: &Villager, now: Instant) -> Result<data_export::Model, Problem> {
    count_try(tx, &format!("export:{}", me.person()), A_DAY, TimeDelta::days(1), now).await?;
    let id = DataExportId::fresh();
    let row = data_export::ActiveModel {
        id: Set(id),
        person_id: Set(me.person()),
        content: Set(None),
        created_at: Set(now),
        ready_at: Set(None),
        expires_at: Set(now + TimeDelta::days(app.config.privacy.export_days.into())),
    };
    let row = row.insert(tx).await?;
    jobs::enqueue(tx, &Job::BuildExport { export: id }, now, None).await?;
    Ok(row)
}

/// One's own, as long as it is kept.
pub async fn find(app: &App, me: &Villager, id: DataExportId) -> Result<data_export::Model, Problem> {
    let mine = data_export::Entity::find_by_id(id)
        .filter(data_export::COLUMN.person_id.eq(me.person()))
        .filter(data_export::COLUMN.expires_at.gt(app.clock.now()));
    mine.one(app.db.read()).await?.ok_or_else(Problem::not_found)
}

/// What is in it.
///
/// # Errors
/// `export_not_ready`.
pub fn content(app: &App, row: &data_export::Model) -> Result<Value, Problem> {
    let sealed = row.content.as_ref().ok_or_else(|| Problem::new(Code::ExportNotReady).retry_after(5))?;
    let text: PrivateText = app.field_keys.open(sealed)?;
    serde_json::from_str(text.in_the_clear()).map_err(Problem::unexpected)
}

/// The job: reads everything and seals it. Doing it twice changes nothing.
pub async fn build(app: &App, id: DataExportId) -> Result<(), Problem> {
    let Some(row) = data_export::Entity::find_by_id(id).one(app.db.read()).await? else { return Ok(()) };
    if row.ready_at.is_some() {
        return Ok(());
    }
    let now = app.clock.now();
    let copy = collect(app.db.read(), &app.field_keys, row.person_id, now).await?;
    let sealed = app.field_keys.close(&PrivateText::of_stored(copy.to_string()))?;
    let done = data_export::ActiveModel {
        id: Set(id),
        content: Set(Some(sealed)),
        ready_at: Set(Some(now)),
        ..Default::default()
    };
    app.db.transact(async move |tx| Ok(done.clone().update(tx).await.map(drop)?)).await
}

async fn collect(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId, now: Instant) -> Result<Value, Problem> {
    let row = person::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    Ok(json!({
        "made_at": now,
        "person": of_person(keys, &row)?,
        "accounts": accounts(db, id).await?,
        "residence_claims": claims(db, keys, id).await?,
        "consents": consents(db, keys, id).await?,
        "authorisations": authorisations(db, keys, id).await?,
        "bookings": copy_talks::bookings(db, keys, id).await?,
        "waits": copy_talks::waits(db, id).await?,
        "talk_ratings": copy_talks::ratings(db, keys, id).await?,
        "signatures": copy_talks::signatures(db, keys, id).await?,
        "cases": cases(db, keys, id).await?,
        "reviews": reviews(db, id).await?,
        "files": files(db, id).await?,
        "notices": notices(db, id).await?,
        "subscriptions": copy_public::subscriptions(db, id).await?,
        "content": copy_public::content(db, keys, id).await?,
        "publications": copy_public::publications(db, id).await?,
        "who_read_my_data": readers(db, id).await?,
    }))
}

pub(super) fn clear<T: Personal>(
    keys: &FieldKeys,
    sealed: Option<&entity::sealed::Sealed>,
) -> Result<Option<String>, Problem> {
    Ok(keys.open_if::<T>(sealed)?.map(|value| value.in_the_clear().to_owned()))
}

fn of_person(keys: &FieldKeys, row: &person::Model) -> Result<Value, Problem> {
    Ok(json!({
        "id": row.id,
        "name": clear::<PersonName>(keys, row.name.as_ref())?,
        "phone": clear::<PhoneNumber>(keys, row.phone.as_ref())?,
        "citizen_no": clear::<CitizenNumber>(keys, row.citizen_no.as_ref())?,
        "village": row.village_id,
        "verified": row.verified,
        "group": row.group_name,
        "family_name": clear::<PersonName>(keys, row.family_name.as_ref())?,
        "family_phone": clear::<PhoneNumber>(keys, row.family_phone.as_ref())?,
        "preferences": row.preferences,
        "registered_at": row.created_at,
    }))
}

async fn accounts(db: &DatabaseConnection, id: PersonId) -> Result<Value, Problem> {
    let wechat = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(id)).one(db).await?;
    let sessions = session::Entity::find().filter(session::COLUMN.person_id.eq(id));
    let sessions = sessions.order_by_asc(session::Column::Id).all(db).await?;
    let sessions = sessions.iter().map(|row| json!({"signed_in_at": row.created_at, "ended_at": row.ended_at}));
    Ok(json!({
        "wechat": wechat.map(|row| json!({"openid": row.openid, "unionid": row.unionid, "since": row.created_at})),
        "sessions": sessions.collect::<Vec<_>>(),
    }))
}

async fn claims(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = residence_claim::Entity::find().filter(residence_claim::COLUMN.person_id.eq(id)).all(db).await?;
    let one = |row: &residence_claim::Model| {
        Ok(json!({
            "village": row.village_id,
            "name": clear::<PersonName>(keys, Some(&row.name))?,
            "citizen_no": clear::<CitizenNumber>(keys, Some(&row.citizen_no))?,
            "state": row.state,
            "reason": row.reason,
            "at": row.created_at,
        }))
    };
    rows.iter().map(one).collect()
}

async fn consents(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = consent::Entity::find().filter(consent::COLUMN.person_id.eq(id)).order_by_asc(consent::Column::Id);
    let rows = rows.all(db).await?;
    let one = |row: &consent::Model| {
        Ok(json!({
            "purpose": row.purpose,
            "granted": row.granted,
            "text_version": row.text_version,
            "guardian": clear::<PersonName>(keys, row.guardian_name.as_ref())?,
            "at": row.at,
        }))
    };
    rows.iter().map(one).collect()
}

async fn authorisations(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Value, Problem> {
    let given = authorisation::Entity::find().filter(authorisation::COLUMN.principal_id.eq(id)).all(db).await?;
    let held = authorisation::Entity::find().filter(authorisation::COLUMN.agent_id.eq(id)).all(db).await?;
    let given = given.iter().map(|row| {
        Ok(json!({
            "agent_name": clear::<PersonName>(keys, row.agent_name.as_ref())?,
            "agent_phone": clear::<PhoneNumber>(keys, row.agent_phone.as_ref())?,
            "scope": row.scope,
            "until": row.until,
            "evidence": row.evidence_kind,
            "text": clear::<PrivateText>(keys, row.evidence_text.as_ref())?,
            "made_at": row.created_at,
            "revoked_at": row.revoked_at,
        }))
    });
    let given = given.collect::<Result<Vec<_>, Problem>>()?;
    // Of those who trusted this person only what concerns the agent.
    let held = held.iter().map(|row| json!({"scope": row.scope, "until": row.until, "revoked_at": row.revoked_at}));
    Ok(json!({"given": given, "held": held.collect::<Vec<_>>()}))
}

async fn cases(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows =
        case::Entity::find().filter(case::COLUMN.person_id.eq(id)).order_by_asc(case::Column::Id).all(db).await?;
    let mut cases = Vec::with_capacity(rows.len());
    for row in rows {
        let form = clear::<PrivateText>(keys, row.form.as_ref())?;
        cases.push(json!({
            "number": row.number, "kind": row.kind, "state": row.state, "title": row.title, "text": row.text,
            "summary": row.summary,
            "form": form.and_then(|form| serde_json::from_str::<Value>(&form).ok()),
            "contact_name": clear::<PersonName>(keys, row.contact_name.as_ref())?,
            "contact_phone": clear::<PhoneNumber>(keys, row.contact_phone.as_ref())?,
            "confidential": row.confidential, "filed_at": row.created_at, "closed_at": row.closed_at,
            "promised_due_on": row.promised_due_on, "statutory_due_on": row.statutory_due_on,
            "result": row.result, "events": events(db, row.id).await?,
        }));
    }
    Ok(cases)
}

/// Internal notes of staff are left out, as in the app.
async fn events(db: &DatabaseConnection, case: CaseId) -> Result<Vec<Value>, Problem> {
    let rows = case_event::Entity::find().filter(case_event::COLUMN.case_id.eq(case));
    let rows = rows.order_by_asc(case_event::Column::Seq).all(db).await?;
    let one = |row: case_event::Model| json!({"at": row.at, "action": row.action, "to": row.to_state, "by": row.by_kind, "text": row.text});
    Ok(rows.into_iter().map(one).collect())
}

async fn reviews(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = review::Entity::find().filter(review::COLUMN.person_id.eq(id)).all(db).await?;
    let one = |row: review::Model| {
        json!({
            "stars": row.stars, "tags": row.tags, "text": row.text, "at": row.created_at, "addition": row.addition,
            "second_stars": row.second_stars,
        })
    };
    Ok(rows.into_iter().map(one).collect())
}

/// What they brought and where each may be fetched; those of things that were made for them stand with the things.
async fn files(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = file::Entity::find()
        .filter(file::COLUMN.person_id.eq(id))
        .filter(file::COLUMN.state.eq(FileState::Kept))
        .order_by_asc(file::Column::Id);
    let one = |row: file::Model| {
        json!({
            "kind": row.kind, "bytes": row.bytes, "sha256": row.sha256, "duration_ms": row.duration_ms,
            "hangs_on": row.thing, "at": row.created_at, "fetch": format!("/api/v1/files/{}", row.id),
        })
    };
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}

async fn notices(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = notice::Entity::find().filter(notice::COLUMN.person_id.eq(id)).order_by_asc(notice::Column::Id);
    let one = |row: notice::Model| json!({"kind": row.kind, "at": row.created_at, "read_at": row.read_at});
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}

/// Who looked, by kind and time: the names of staff are the office's to tell.
async fn readers(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = audit_entry::Entity::find()
        .filter(audit_entry::COLUMN.object_id.eq(id.to_string()))
        .filter(audit_entry::COLUMN.object_kind.eq("person"))
        .order_by_asc(audit_entry::Column::Seq);
    let one = |row: audit_entry::Model| json!({"at": row.at, "by": row.actor_kind, "action": row.action, "fields": row.fields, "reason": row.reason});
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}

/// The copy as a page that prints: headings, names and values, nothing that could run.
#[must_use]
pub fn page(copy: &Value) -> String {
    let mut body = String::new();
    write_value(&mut body, copy);
    format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:18px/1.6 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}}\
         dt{{font-weight:bold}}dd{{margin:0 0 .5em 1.5em}}</style><h1>{title}</h1>{body}</html>",
        title = label("title")
    )
}

fn label(name: &str) -> String {
    let key = format!("copy.{name}");
    let text = rust_i18n::t!(&key, locale = "zh-CN").into_owned();
    if text == key || text.ends_with(&key) { name.to_owned() } else { text }
}

fn write_value(into: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            into.push_str("<dl>");
            for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
                for part in ["<dt>", &escaped(&label(name)), "</dt><dd>"] {
                    into.push_str(part);
                }
                write_value(into, member);
                into.push_str("</dd>");
            }
            into.push_str("</dl>");
        }
        Value::Array(items) if items.is_empty() => into.push('—'),
        Value::Array(items) => {
            into.push_str("<ol>");
            for item in items {
                into.push_str("<li>");
                write_value(into, item);
                into.push_str("</li>");
            }
            into.push_str("</ol>");
        }
        Value::String(text) => into.push_str(&escaped(text)),
        Value::Bool(yes) => into.push_str(if *yes { "是" } else { "否" }),
        other => into.push_str(&escaped(&other.to_string())),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_text_as_text() {
        let page = page(&json!({"person": {"name": "<b>李四</b> & \"x\"", "phone": null}}));
        assert!(page.contains("&lt;b&gt;李四&lt;/b&gt; &amp; &quot;x&quot;"));
        assert!(page.contains("<dt>姓名</dt>"), "{page}");
        assert!(!page.contains("电话"));
    }
}
