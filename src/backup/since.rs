//! What happened after a backup was made, of which it cannot know: a restore takes it back.
//!
//! Sessions that were ended since would work again, so all of them are ended: signing in costs nobody much. What stood on
//! the pages of villages stands there again, also what was taken down since. It is listed and not hidden: its words have
//! been looked at, and nothing would show it again. Everything else is for people to do again (`src/guide/backup.md`).

use entity::{id::PublicationId, publication, refresh_token, session};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::BackupFault;
use crate::{clock::Instant, db::Db};

/// Ends every session, in one transaction; says how many went on until now.
pub(super) async fn end_sessions(db: &Db, now: Instant) -> Result<u64, BackupFault> {
    let ending = db.transact(async move |tx| {
        refresh_token::Entity::delete_many().exec(tx).await?;
        let ended = session::Entity::update_many()
            .col_expr(session::Column::EndedAt, now.into())
            .filter(session::COLUMN.ended_at.is_null())
            .exec(tx)
            .await?;
        Ok(ended.rows_affected)
    });
    Ok(ending.await?)
}

/// What stands on the pages of villages or waits for it, with its title.
pub(super) async fn publications(db: &Db) -> Result<Vec<(PublicationId, String)>, BackupFault> {
    let rows: Vec<(PublicationId, Option<String>)> = publication::Entity::find()
        .select_only()
        .columns([publication::Column::Id, publication::Column::Title])
        .filter(publication::COLUMN.ended_at.is_null())
        .order_by_asc(publication::Column::Id)
        .into_tuple()
        .all(db.read())
        .await?;
    Ok(rows.into_iter().map(|(id, title)| (id, title.unwrap_or_default())).collect())
}
