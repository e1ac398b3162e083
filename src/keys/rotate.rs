//! Sealing anew under the active key, row by row, while servers write.
//!
//! A value is replaced only where it still is what was read (`WHERE column = old`): whoever wrote in between was right,
//! and is found the next time round. Nothing is kept about how far it came, so that it may be stopped and run again.

use entity::sealed::Sealed;
use sea_orm::{
    Condition, ConnectionTrait, DatabaseConnection, QueryResult, Value,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use uuid::Uuid;

use super::{
    BATCH, not_by, patiently,
    table::{SEALED, SealedTable},
};
use crate::{crypto::FieldKeys, db::Db, problem::Problem};

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Its name.
    pub table: &'static str,
    /// Values that were sealed anew.
    pub resealed: u64,
    /// Values that another key still seals.
    pub left: u64,
    /// Why those could not be opened; names keys, never values.
    pub faults: Vec<String>,
}

/// A row, and its values that another key seals.
struct Row {
    key: Uuid,
    values: Vec<Option<String>>,
}

/// A value that is to be replaced.
#[derive(Clone)]
struct Swap {
    key: Uuid,
    column: &'static str,
    old: String,
    new: String,
}

/// Seals anew what other keys have sealed.
pub async fn rotate(db: &Db, keys: &FieldKeys) -> Result<Vec<Rotated>, Problem> {
    let mut all = Vec::new();
    for table in SEALED {
        all.push(rotate_table(db, keys, table).await?);
    }
    Ok(all)
}

async fn rotate_table(db: &Db, keys: &FieldKeys, table: &'static SealedTable) -> Result<Rotated, Problem> {
    let mut done = Rotated { table: table.table, ..Rotated::default() };
    // What was written behind the walk, or lay beyond a page in rows of the same key, is found by the next one.
    loop {
        done.faults.clear();
        let resealed = walk(db, keys, table, &mut done.faults).await?;
        done.resealed += resealed;
        if resealed == 0 {
            break;
        }
    }
    done.left = left(db.read(), keys, table).await?;
    Ok(done)
}

async fn walk(
    db: &Db,
    keys: &FieldKeys,
    table: &'static SealedTable,
    faults: &mut Vec<String>,
) -> Result<u64, Problem> {
    let mut after = None;
    let mut resealed = 0;
    loop {
        let rows = rows(db.read(), keys, table, after).await?;
        let Some(last) = rows.last() else { return Ok(resealed) };
        after = Some(last.key);
        let swaps = swaps(keys, table, rows, faults);
        resealed += patiently(db, async move |tx| {
            let mut written = 0;
            for swap in &swaps {
                let update = Query::update()
                    .table(table.table)
                    .value(swap.column, swap.new.as_str())
                    .and_where(Expr::col(table.key).eq(swap.key))
                    .and_where(Expr::col(swap.column).eq(swap.old.as_str()))
                    .to_owned();
                written += tx.execute(&update).await?.rows_affected();
            }
            Ok(written)
        })
        .await?;
    }
}

/// Rows with a value that another key seals.
async fn rows(
    db: &DatabaseConnection,
    keys: &FieldKeys,
    table: &SealedTable,
    after: Option<Uuid>,
) -> Result<Vec<Row>, Problem> {
    let mut query = Query::select();
    query.column(table.key).from(table.table).cond_where(by_others(keys, table)).order_by(table.key, Order::Asc);
    query.columns(table.columns.iter().map(|(column, _)| *column)).limit(BATCH);
    if let Some(after) = after {
        query.and_where(Expr::col(table.key).gt(Value::from(after)));
    }
    let read = |row: QueryResult| {
        let values = (1..=table.columns.len()).map(|at| row.try_get_by_index(at)).collect::<Result<_, _>>()?;
        Ok(Row { key: row.try_get_by_index(0)?, values })
    };
    db.query_all(&query).await?.into_iter().map(read).collect::<Result<_, sea_orm::DbErr>>().map_err(Problem::from)
}

fn by_others(keys: &FieldKeys, table: &SealedTable) -> Condition {
    table.columns.iter().fold(Condition::any(), |any, (column, _)| any.add(not_by(column, keys.active())))
}

fn swaps(keys: &FieldKeys, table: &SealedTable, rows: Vec<Row>, faults: &mut Vec<String>) -> Vec<Swap> {
    let mut swaps = Vec::new();
    for row in rows {
        for ((column, purpose), old) in table.columns.iter().copied().zip(row.values) {
            let Some(old) = old.filter(|old| !sealed_by(old, keys.active())) else { continue };
            match reseal(keys, purpose, &Sealed(old.clone())) {
                Ok(new) => swaps.push(Swap { key: row.key, column, old, new: new.0 }),
                Err(problem) => {
                    let said = format!("{}.{column}: {}", table.table, problem.source_text().unwrap_or("?"));
                    if !faults.contains(&said) {
                        faults.push(said);
                    }
                }
            }
        }
    }
    swaps
}

fn sealed_by(sealed: &str, key: &str) -> bool {
    sealed.split_once('.').is_some_and(|(by, _)| by == key)
}

fn reseal(keys: &FieldKeys, purpose: &str, old: &Sealed) -> Result<Sealed, Problem> {
    keys.seal(purpose, &keys.unseal(purpose, old)?)
}

/// Values that another key still seals.
pub(super) async fn left(db: &DatabaseConnection, keys: &FieldKeys, table: &SealedTable) -> Result<u64, Problem> {
    let mut all = 0;
    for (column, _) in table.columns {
        all += count(db, table.table, not_by(column, keys.active())).await?;
    }
    Ok(all)
}

/// Rows of a table that fulfil a condition.
pub(super) async fn count(db: &DatabaseConnection, table: &'static str, condition: Expr) -> Result<u64, Problem> {
    let query = Query::select().expr(Expr::cust("count(*)")).from(table).and_where(condition).to_owned();
    let row = db.query_one(&query).await?.ok_or_else(|| Problem::unexpected("a count has no answer"))?;
    let counted: i64 = row.try_get_by_index(0)?;
    Ok(u64::try_from(counted).unwrap_or_default())
}
