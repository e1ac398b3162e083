//! Two rows turn out to be one person: everything of the one becomes the other's.

use entity::{
    Instant, authorisation, conflict, consent, content_check, data_export, id::PersonId, notice, notice_delivery,
    person, phone_code, publication, residence_claim, session, wechat_account,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Condition, Expr},
};

use crate::{cases, db::Tx, files, problem::Problem, subscriptions, talks};

/// Moves bookings, cases, authorisations, notices and the WeChat account, and deletes the row that is empty then.
///
/// The survivor keeps what is known of them; sessions of the other end, since their tokens named somebody else.
pub async fn merge(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    if from == into {
        return Ok(());
    }
    talks::move_bookings(tx, from, into, now).await?;
    talks::move_said(tx, from, into).await?;
    cases::move_person(tx, from, into).await?;
    files::move_person(tx, from, into).await?;
    files::drop_uploads(tx, from).await?;
    move_authorisations(tx, from, into, now).await?;
    macro_rules! moved {
        ($($table:ident: $column:ident $field:ident),*) => {$(
            $table::Entity::update_many()
                .col_expr($table::Column::$column, Expr::val(into))
                .filter($table::COLUMN.$field.eq(from))
                .exec(tx)
                .await?;
        )*};
    }
    moved!(
        notice: PersonId person_id, notice_delivery: PersonId person_id, consent: PersonId person_id,
        data_export: PersonId person_id, residence_claim: HolderId holder_id,
        content_check: PersonId person_id, publication: PersonId person_id
    );
    move_claims(tx, from, into, now).await?;
    move_conflicts(tx, from, into).await?;
    phone_code::Entity::delete_by_id(from).exec(tx).await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::val(now))
        .filter(session::COLUMN.person_id.eq(from))
        .filter(session::COLUMN.ended_at.is_null())
        .exec(tx)
        .await?;
    moved!(session: PersonId person_id);
    if has_wechat(tx, into).await? {
        subscriptions::forget(tx, from).await?;
        wechat_account::Entity::delete_many().filter(wechat_account::COLUMN.person_id.eq(from)).exec(tx).await?;
    } else {
        moved!(wechat_account: PersonId person_id);
    }
    person::Entity::delete_by_id(from).exec(tx).await?;
    Ok(())
}

/// Whether somebody signs in by WeChat.
pub async fn has_wechat(tx: &Tx, person: PersonId) -> Result<bool, Problem> {
    let account = wechat_account::Entity::find().filter(wechat_account::COLUMN.person_id.eq(person)).one(tx).await?;
    Ok(account.is_some())
}

/// A person holds one open claim: the survivor's own stays.
async fn move_claims(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    use residence_claim::ClaimState;
    let pending = residence_claim::COLUMN.state.eq(ClaimState::Pending);
    residence_claim::Entity::update_many()
        .col_expr(residence_claim::Column::State, Expr::val(ClaimState::Withdrawn))
        .col_expr(residence_claim::Column::DecidedAt, Expr::val(now))
        .filter(residence_claim::COLUMN.person_id.eq(from))
        .filter(pending)
        .exec(tx)
        .await?;
    residence_claim::Entity::update_many()
        .col_expr(residence_claim::Column::PersonId, Expr::val(into))
        .filter(residence_claim::COLUMN.person_id.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}

async fn move_authorisations(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    for column in [authorisation::Column::PrincipalId, authorisation::Column::AgentId] {
        authorisation::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    // Nobody is their own agent.
    authorisation::Entity::update_many()
        .col_expr(authorisation::Column::RevokedAt, Expr::val(now))
        .filter(authorisation::COLUMN.principal_id.eq(into))
        .filter(authorisation::COLUMN.agent_id.eq(into))
        .filter(authorisation::COLUMN.revoked_at.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

async fn move_conflicts(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    let rows = conflict::Entity::find().filter(
        Condition::any().add(conflict::COLUMN.with_person_id.eq(from)).add(conflict::COLUMN.with_person_id.eq(into)),
    );
    let rows = rows.all(tx).await?;
    let known = |staff| rows.iter().any(|row| row.staff_id == staff && row.with_person_id == Some(into));
    for row in rows.iter().filter(|row| row.with_person_id == Some(from)) {
        if known(row.staff_id) {
            conflict::Entity::delete_by_id(row.id).exec(tx).await?;
        } else {
            conflict::Entity::update_many()
                .col_expr(conflict::Column::WithPersonId, Expr::val(into))
                .filter(conflict::COLUMN.id.eq(row.id))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}
