//! Which key seals how much.

use std::collections::BTreeMap;

use sea_orm::{
    ConnectionTrait, DatabaseConnection,
    sea_query::{Expr, ExprTrait, Func, Query},
};

use super::{not_by, rotate::count, table::SEALED};
use crate::problem::Problem;

/// Values by the id of the key that seals them.
pub type Used = BTreeMap<String, BTreeMap<&'static str, u64>>;

/// Counts sealed values by key and table. Ids that configuration lacks are found too.
pub async fn status(db: &DatabaseConnection) -> Result<Used, Problem> {
    let mut used = Used::new();
    for table in SEALED {
        for (column, _) in table.columns {
            let mut seen: Vec<String> = Vec::new();
            // One value of a key not seen yet shows the next key: neither engine need know how to cut a text at a dot.
            while let Some(key) = other_key(db, table.table, column, &seen).await? {
                let values = count(db, table.table, by(column, &key)).await?;
                *used.entry(key.clone()).or_default().entry(table.table).or_default() += values;
                seen.push(key);
            }
        }
    }
    Ok(used)
}

fn by(column: &'static str, key: &str) -> Expr {
    let start = format!("{key}.");
    let length = i32::try_from(start.len()).unwrap_or(i32::MAX);
    Expr::from(Func::cust("substr").arg(Expr::col(column)).arg(1).arg(length)).eq(start)
}

async fn other_key(
    db: &DatabaseConnection,
    table: &'static str,
    column: &'static str,
    seen: &[String],
) -> Result<Option<String>, Problem> {
    let mut query = Query::select();
    query.column(column).from(table).and_where(Expr::col(column).is_not_null()).limit(1);
    for key in seen {
        query.and_where(not_by(column, key));
    }
    let Some(row) = db.query_one(&query).await? else { return Ok(None) };
    let sealed: String = row.try_get_by_index(0)?;
    Ok(Some(sealed.split_once('.').map_or_else(|| "?".to_owned(), |(key, _)| key.to_owned())))
}
