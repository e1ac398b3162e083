//! Statements for many rows, of a few sizes only: an engine keeps a statement prepared for each text it has seen.

use sea_orm::{ActiveModelTrait, DbErr, EntityTrait};

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

/// Inserts rows, by a statement for each power of two in their number. All rows must set the same columns.
pub async fn insert_all<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>) -> Result<(), DbErr> {
    for rows in in_powers_of_two(rows) {
        <A::Entity as EntityTrait>::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn in_powers_of_two<T>(mut rows: Vec<T>) -> Vec<Vec<T>> {
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let largest = MOST_ROWS.min(1 << rows.len().ilog2());
        let later = rows.split_off(largest);
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
        assert_eq!(in_powers_of_two(vec![1, 2, 3, 4, 5, 6, 7]), [vec![1, 2, 3, 4], vec![5, 6], vec![7]]);
        assert_eq!(in_powers_of_two(vec![0; 200]).iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 64, 8]);
        assert!(in_powers_of_two(Vec::<i32>::new()).is_empty());
    }
}
