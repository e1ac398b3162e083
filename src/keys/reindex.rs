//! Hashes anew, after `crypto.index_key` was changed. Servers stand still meanwhile: by the old hashes nothing is found.

use entity::sealed::Sealed;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, QueryResult, Value,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use uuid::Uuid;

use super::{
    BATCH, patiently,
    table::{Found, HASHED, HashedColumn},
};
use crate::{
    crypto::FieldKeys,
    db::Db,
    personal::{CitizenNumber, PersonName, PhoneNumber},
    problem::Problem,
};

/// What became of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reindexed {
    /// `table.column`.
    pub column: String,
    /// Hashes that changed.
    pub changed: u64,
    /// Hashes that were right already.
    pub as_before: u64,
}

#[derive(Clone)]
struct Row {
    key: Uuid,
    sealed: String,
    hash: Option<String>,
}

/// Makes every hash anew. May be stopped and run again.
pub async fn reindex(db: &Db, keys: &FieldKeys) -> Result<Vec<Reindexed>, Problem> {
    let mut all = Vec::new();
    for column in HASHED {
        all.push(one(db, keys, column).await?);
    }
    Ok(all)
}

async fn one(db: &Db, keys: &FieldKeys, column: &'static HashedColumn) -> Result<Reindexed, Problem> {
    let mut done = Reindexed { column: format!("{}.{}", column.table, column.hash), changed: 0, as_before: 0 };
    let mut after = None;
    loop {
        let rows = rows(db.read(), column, after).await?;
        let Some(last) = rows.last() else { return Ok(done) };
        after = Some(last.key);
        let mut changed = Vec::new();
        for row in rows {
            let hash = hash(keys, column.kind, &Sealed(row.sealed.clone()))?;
            if row.hash.as_ref() == Some(&hash) {
                done.as_before += 1;
            } else {
                changed.push((row, hash));
            }
        }
        done.changed += patiently(db, async move |tx| {
            let mut written = 0;
            for (row, hash) in &changed {
                let update = Query::update()
                    .table(column.table)
                    .value(column.hash, hash.as_str())
                    .and_where(Expr::col("id").eq(row.key))
                    .and_where(Expr::col(column.sealed).eq(row.sealed.as_str()))
                    .to_owned();
                written += tx.execute(&update).await?.rows_affected();
            }
            Ok(written)
        })
        .await?;
    }
}

async fn rows(db: &DatabaseConnection, column: &HashedColumn, after: Option<Uuid>) -> Result<Vec<Row>, Problem> {
    let mut query = Query::select();
    query
        .columns(["id", column.sealed, column.hash])
        .from(column.table)
        .and_where(Expr::col(column.sealed).is_not_null())
        .order_by("id", Order::Asc)
        .limit(BATCH);
    if let Some(after) = after {
        query.and_where(Expr::col("id").gt(Value::from(after)));
    }
    let read = |row: QueryResult| {
        Ok(Row { key: row.try_get_by_index(0)?, sealed: row.try_get_by_index(1)?, hash: row.try_get_by_index(2)? })
    };
    db.query_all(&query).await?.into_iter().map(read).collect::<Result<_, sea_orm::DbErr>>().map_err(Problem::from)
}

fn hash(keys: &FieldKeys, kind: Found, sealed: &Sealed) -> Result<String, Problem> {
    match kind {
        Found::Name => keys.hash_of(&keys.open::<PersonName>(sealed)?),
        Found::Phone => keys.hash_of(&keys.open::<PhoneNumber>(sealed)?),
        Found::CitizenNumber => keys.hash_of(&keys.open::<CitizenNumber>(sealed)?),
    }
}
