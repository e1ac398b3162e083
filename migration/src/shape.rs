//! Short words for what every step says again and again.

use sea_orm_migration::prelude::*;

/// A table with a UUID primary key `id`.
pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).col(ColumnDef::new("id").uuid().not_null().primary_key()).to_owned()
}

/// A table whose key is a text column.
pub(crate) fn keyed_table(name: &'static str, key: &'static str) -> TableCreateStatement {
    Table::create().table(name).col(ColumnDef::new(key).text().not_null().primary_key()).to_owned()
}

/// A foreign key; nothing is deleted behind anybody's back. Checked when the statement ends, so that a table which
/// refers to itself can still be dropped.
pub(crate) fn reference(from: &'static str, to: &'static str, key: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from_col(from).to(to, key).on_delete(ForeignKeyAction::NoAction).to_owned()
}

/// An index that the name of its table and columns names.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut made = Index::create().name(format!("ix_{table}_{}", columns.join("_"))).table(table).to_owned();
    for column in columns {
        made.col(*column);
    }
    made
}

/// Likewise, unique.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).name(format!("ux_{table}_{}", columns.join("_"))).unique().to_owned()
}

/// Makes the tables, then the indexes.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    for table in tables {
        manager.create_table(table).await?;
    }
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Drops tables, the last made first.
pub(crate) async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}

/// Columns one by one: `SQLite` takes no more in one statement.
pub(crate) async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: Vec<ColumnDef>,
) -> Result<(), DbErr> {
    for mut column in columns {
        manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
    }
    Ok(())
}

pub(crate) async fn drop_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&str],
) -> Result<(), DbErr> {
    for column in columns {
        manager.alter_table(Table::alter().table(table).drop_column((*column).to_owned()).to_owned()).await?;
    }
    Ok(())
}
