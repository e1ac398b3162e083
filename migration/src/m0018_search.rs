//! Search: the words of cases, how far each sweep has read, and closed cases in the order in which they closed.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::shape::{add, create, drop, drop_columns, index, reference};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns of cases by which closed ones are listed.
const CLOSED_BY: &[&str] = &["unit_id", "village_id", "township_id", "county_id", "assignee_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "sweep", vec![ColumnDef::new("mark").uuid().take()]).await?;
        let closed = CLOSED_BY.iter().map(|column| {
            let made = index("cases", &[column, "closed_at", "id"]);
            made.clone().and_where(Expr::col("closed_at").is_not_null()).to_owned()
        });
        create(manager, vec![numbered()], closed.collect()).await?;
        // Terms are made by the application, the same for both engines; here they are only kept and found.
        let words = match manager.get_database_backend() {
            DbBackend::Sqlite => {
                "CREATE VIRTUAL TABLE case_words USING fts5(words, content = '', contentless_delete = 1, detail = none,
                 tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* M* S* Co Cn' tokenchars '@'\")"
            }
            _ => "CREATE TABLE case_words (seq bigint PRIMARY KEY, words tsvector NOT NULL)",
        };
        manager.get_connection().execute_unprepared(words).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let find = "CREATE INDEX ix_case_words_words ON case_words USING gin (words)";
            manager.get_connection().execute_unprepared(find).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE case_words").await?;
        for column in CLOSED_BY {
            let name = format!("ix_cases_{column}_closed_at_id");
            manager.drop_index(Index::drop().name(name).table("cases").to_owned()).await?;
        }
        drop(manager, &["case_search"]).await?;
        drop_columns(manager, "sweep", &["mark"]).await
    }
}

/// Cases in the order in which they were read for search.
fn numbered() -> TableCreateStatement {
    Table::create()
        .table("case_search")
        .col(ColumnDef::new("seq").big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("case_id").uuid().not_null().unique_key())
        .col(ColumnDef::new("event_id").uuid().not_null())
        .foreign_key(&mut reference("case_id", "cases", "id"))
        .to_owned()
}
