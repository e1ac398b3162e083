//! Full-text search as the engines have it: FTS5 of `SQLite`, `tsvector` with a GIN index of `PostgreSQL`.
//!
//! What a term is the application decides: both engines keep sets of terms and find the sets that hold some. A term is
//! made of letters and digits, perhaps after an `@`, so that it can stand in either query language as it is.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Db, Tx};

/// What to find: all of `all`, and one of `any`.
#[derive(Debug)]
pub struct Wanted {
    /// Terms that must all be there.
    pub all: Vec<Term>,
    /// Terms of which one must be there.
    pub any: Vec<String>,
}

/// A term to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Itself.
    Whole(String),
    /// Any that begins so.
    Beginning(String),
}

/// Keeps the words of a case, instead of those kept before.
pub async fn keep_words(tx: &Tx, seq: i64, terms: &BTreeSet<String>) -> Result<(), DbErr> {
    let engine = tx.get_database_backend();
    let sql = match engine {
        DbBackend::Sqlite => "INSERT OR REPLACE INTO case_words (rowid, words) VALUES (?, ?)",
        _ => {
            "INSERT INTO case_words (seq, words) VALUES ($1, array_to_tsvector(string_to_array($2, ' ')))
             ON CONFLICT (seq) DO UPDATE SET words = excluded.words"
        }
    };
    let terms = terms.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    tx.execute_raw(Statement::from_sql_and_values(engine, sql, [seq.into(), terms.into()])).await?;
    Ok(())
}

impl Db {
    /// The cases whose words hold what is wanted, the latest kept first, at most `most`, kept before `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_words(&self, wanted: &Wanted, before: Option<i64>, most: u64) -> Result<Vec<i64>, DbErr> {
        let engine = self.read().get_database_backend();
        let (sql, query) = match engine {
            DbBackend::Sqlite => {
                let sql = "SELECT rowid FROM case_words WHERE case_words MATCH ? AND rowid < ?
                           ORDER BY rowid DESC LIMIT ?";
                (sql, in_words_of_fts5(wanted))
            }
            // The index on words first: by the order of `seq` the planner might read everything for a rare word.
            _ => (
                "WITH hit AS MATERIALIZED (SELECT seq FROM case_words WHERE words @@ $1::tsquery)
                 SELECT seq FROM hit WHERE seq < $2 ORDER BY seq DESC LIMIT $3",
                in_words_of_postgres(wanted),
            ),
        };
        let before = before.unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let statement = Statement::from_sql_and_values(engine, sql, [query.into(), before.into(), most.into()]);
        let rows = self.read().query_all_raw(statement).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }
}

fn in_words_of_fts5(wanted: &Wanted) -> String {
    let all = wanted.all.iter().map(|term| match term {
        Term::Whole(term) => format!("\"{term}\""),
        Term::Beginning(term) => format!("\"{term}\" *"),
    });
    let any = wanted.any.iter().map(|term| format!("\"{term}\"")).collect::<Vec<_>>().join(" OR ");
    all.chain([format!("({any})")]).collect::<Vec<_>>().join(" AND ")
}

fn in_words_of_postgres(wanted: &Wanted) -> String {
    let all = wanted.all.iter().map(|term| match term {
        Term::Whole(term) => format!("'{term}'"),
        Term::Beginning(term) => format!("'{term}':*"),
    });
    let any = wanted.any.iter().map(|term| format!("'{term}'")).collect::<Vec<_>>().join(" | ");
    all.chain([format!("({any})")]).collect::<Vec<_>>().join(" & ")
}
