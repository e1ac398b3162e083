//! Reading the audit, without learning from it what is confidential or was said in private.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use entity::{audit_entry, case, id::CaseId};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};
use uuid::Uuid;

use crate::{
    app::App,
    clock,
    db::padded,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// What narrows the list.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    pub(super) object: Option<Uuid>,
    pub(super) actor: Option<Uuid>,
    pub(super) action: Option<String>,
    pub(super) from: Option<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
}

impl Narrow {
    /// For the entry that tells of the reading. The object is left out: who looks for it must not find themselves.
    pub(super) fn in_words(&self) -> String {
        let parts = [
            self.object.map(|_| "object".to_owned()),
            self.actor.map(|actor| format!("actor={actor}")),
            self.action.as_ref().map(|action| format!("action={action}")),
            self.from.map(|from| format!("from={from}")),
            self.to.map(|to| format!("to={to}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(",")
    }
}

/// An entry, and whether what it is about must not be shown.
pub(super) struct Shown {
    pub(super) row: audit_entry::Model,
    pub(super) hidden: bool,
}

/// Entries, the newest first, at most `size + 1`.
pub(super) async fn list(app: &App, narrow: &Narrow, page: &PageQuery) -> Result<Vec<Shown>, Problem> {
    let db = app.db.read();
    let mut query = audit_entry::Entity::find();
    if let Some(before) = Cursor::read::<i64>(page.cursor.as_deref())? {
        query = query.filter(audit_entry::COLUMN.seq.lt(before));
    }
    if let Some(object) = narrow.object {
        // That something is found under an id would tell what masking hides.
        if !hidden_cases(db, [object]).await?.is_empty() {
            return Ok(vec![]);
        }
        query = query
            .filter(audit_entry::COLUMN.object_id.eq(object.to_string()))
            .filter(audit_entry::Column::Action.not_like("%confidential%"))
            .filter(audit_entry::Column::Action.not_like("%private%"));
    }
    if let Some(actor) = narrow.actor {
        query = query.filter(audit_entry::COLUMN.actor_id.eq(actor));
    }
    if let Some(action) = &narrow.action {
        query = query.filter(audit_entry::COLUMN.action.eq(action.as_str()));
    }
    if let Some(from) = narrow.from {
        query = query.filter(audit_entry::COLUMN.at.gte(clock::instant(from, NaiveTime::MIN)));
    }
    if let Some(to) = narrow.to {
        let end = clock::instant(to, NaiveTime::MIN) + TimeDelta::days(1);
        query = query.filter(audit_entry::COLUMN.at.lt(end));
    }
    let rows = query.order_by_desc(audit_entry::Column::Seq).limit(page.size() + 1).all(db).await?;
    let cases = rows.iter().filter(|row| row.object_kind == "case").filter_map(|row| row.object_id.as_deref());
    let hidden = hidden_cases(db, cases.filter_map(|id| id.parse().ok())).await?;
    let shown = |row: audit_entry::Model| Shown { hidden: is_hidden(&row, &hidden), row };
    Ok(rows.into_iter().map(shown).collect())
}

fn is_hidden(row: &audit_entry::Model, hidden: &HashSet<Uuid>) -> bool {
    let of_case = row.object_id.as_deref().and_then(|id| id.parse().ok()).is_some_and(|id: Uuid| hidden.contains(&id));
    row.action.contains("confidential") || row.action.contains("private") || of_case
}

/// Those of these that are cases which the audit does not name: confidential ones, and private matters of talk days.
async fn hidden_cases(db: &DatabaseConnection, ids: impl IntoIterator<Item = Uuid>) -> Result<HashSet<Uuid>, Problem> {
    let ids = padded(ids.into_iter().map(CaseId));
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<CaseId> = case::Entity::find()
        .select_only()
        .column(case::Column::Id)
        .filter(case::COLUMN.id.is_in(ids))
        .filter(case::COLUMN.confidential.eq(true).or(case::COLUMN.private.eq(true)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().map(|id| id.0).collect())
}
