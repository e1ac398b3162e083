//! Statements for many rows, of a few sizes only: an engine keeps a statement prepared for each text it has seen.

use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, sea_query::OnConflict};

use super::Tx;

/// The most rows of one statement; engines bound how many values it may hold.
const MOST_ROWS: usize = 64;

/// Values for `IN (...)`, filled up to a power of two by repeating the last.
#[must_use]
pub fn padded<V: Copy>(values: impl IntoIterator<Item = V>) -> Vec<V> {
    let mut values: Vec<V> = values.into_iter().collect();
    if let Some(last) = values.last().copied() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// As [`insert_all`]; a row whose unique columns are there already takes the place that `otherwise` says.
pub async fn upsert_all<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>, otherwise: &OnConflict) -> Result<(), DbErr> {
    for rows in in_few_sizes(rows) {
        let insert = <A::Entity as EntityTrait>::insert_many(rows).on_conflict(otherwise.clone());
        insert.exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Inserts rows: whole eights of them by one statement, the rest by another. All must set the same columns.
pub async fn insert_all<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>) -> Result<(), DbErr> {
    for rows in in_few_sizes(rows) {
        <A::Entity as EntityTrait>::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn in_few_sizes<T>(mut rows: Vec<T>) -> Vec<Vec<T>> {
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let whole = MOST_ROWS.min(rows.len() / 8 * 8);
        let later = rows.split_off(if whole == 0 { rows.len() } else { whole });
        parts.push(std::mem::replace(&mut rows, later));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_few_lengths() {
        assert_eq!(padded([1, 2, 3, 4, 5]), [1, 2, 3, 4, 5, 5, 5, 5]);
        assert_eq!(padded([7]), [7]);
        assert!(padded(Vec::<i32>::new()).is_empty());
        let lengths = |rows| in_few_sizes(vec![0; rows]).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), Vec::<usize>::new());
        assert_eq!(lengths(7), [7]);
        assert_eq!(lengths(29), [24, 5]);
        assert_eq!(lengths(200), [64, 64, 64, 8]);
    }
}
