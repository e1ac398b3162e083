//! What was said on talk days when its person is joined with another or forgotten, and when it was kept long enough.
//!
//! Records and signatures are an archive and stay for as long as cases do; a rating keeps its stars and loses its words.

use chrono::{Months, NaiveDate, TimeDelta};
use entity::{
    Instant, booking,
    booking::BookingState,
    booking_event, council_matter,
    file::FileThing,
    id::{BookingId, PersonId, TalkDayId, TalkMinutesId, TalkRecordId},
    minutes_signature, talk_day, talk_minutes, talk_rating, talk_record, talk_wait,
    talk_wait::WaitState,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement},
};

use crate::{
    app::App,
    clock::local_day,
    db::{Tx, padded},
    files,
    personal::{Personal, PrivateText},
    problem::Problem,
};

/// How long a wait that has ended is kept.
const WAITS_KEPT: TimeDelta = TimeDelta::days(365);
/// Minutes emptied in one transaction.
const AT_ONCE: u64 = 200;

/// What stays of somebody who goes.
pub struct KeptOfTalks {
    /// Matters that were heard and have a record.
    pub matters: u64,
    /// Minutes they signed.
    pub signatures: u64,
    /// The last day on which they were heard.
    pub last_on: Option<NaiveDate>,
}

/// Takes the words out of somebody's ratings and their ended waits away, and says what must stay.
pub async fn forget_said(tx: &Tx, person: PersonId) -> Result<KeptOfTalks, Problem> {
    talk_rating::Entity::update_many()
        .col_expr(talk_rating::Column::Text, Expr::value(Option::<String>::None))
        .filter(talk_rating::COLUMN.person_id.eq(person))
        .exec(tx)
        .await?;
    talk_wait::Entity::delete_many()
        .filter(talk_wait::COLUMN.person_id.eq(person))
        .filter(talk_wait::COLUMN.state.is_not_in([WaitState::Waiting, WaitState::Held]))
        .exec(tx)
        .await?;
    let heard = || {
        booking::Entity::find()
            .filter(booking::COLUMN.person_id.eq(person))
            .filter(booking::COLUMN.state.eq(BookingState::Concluded))
    };
    let last = heard().order_by_desc(booking::Column::EndedAt).one(tx).await?;
    let signed = minutes_signature::Entity::find().filter(minutes_signature::COLUMN.person_id.eq(person));
    Ok(KeptOfTalks {
        matters: heard().count(tx).await?,
        signatures: signed.count(tx).await?,
        last_on: last.and_then(|row| row.ended_at).map(local_day),
    })
}

/// Steps, ratings and signatures of one become those of the other, who keeps their own where both have one.
pub async fn move_said(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    let by = booking_event::Column::PersonId;
    booking_event::Entity::update_many().col_expr(by, Expr::val(into)).filter(by.eq(from)).exec(tx).await?;
    let rated: Vec<TalkDayId> = talk_rating::Entity::find()
        .select_only()
        .column(talk_rating::Column::TalkDayId)
        .filter(talk_rating::COLUMN.person_id.eq(into))
        .into_tuple()
        .all(tx)
        .await?;
    if !rated.is_empty() {
        talk_rating::Entity::delete_many()
            .filter(talk_rating::COLUMN.person_id.eq(from))
            .filter(talk_rating::COLUMN.talk_day_id.is_in(padded(rated)))
            .exec(tx)
            .await?;
    }
    let of = talk_rating::Column::PersonId;
    talk_rating::Entity::update_many().col_expr(of, Expr::val(into)).filter(of.eq(from)).exec(tx).await?;
    let signed: Vec<TalkMinutesId> = minutes_signature::Entity::find()
        .select_only()
        .column(minutes_signature::Column::MinutesId)
        .filter(minutes_signature::COLUMN.person_id.eq(into))
        .into_tuple()
        .all(tx)
        .await?;
    if !signed.is_empty() {
        minutes_signature::Entity::delete_many()
            .filter(minutes_signature::COLUMN.person_id.eq(from))
            .filter(minutes_signature::COLUMN.minutes_id.is_in(padded(signed)))
            .exec(tx)
            .await?;
    }
    let who = minutes_signature::Column::PersonId;
    minutes_signature::Entity::update_many().col_expr(who, Expr::val(into)).filter(who.eq(from)).exec(tx).await?;
    Ok(())
}

/// Throws bookings away that were given up before `before`, with the steps that hang on them.
pub async fn drop_cancelled(tx: &Tx, before: Instant) -> Result<(), Problem> {
    let gone: Vec<BookingId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(booking::COLUMN.created_at.lt(before))
        .filter(booking::COLUMN.live.eq(false))
        .into_tuple()
        .all(tx)
        .await?;
    for some in gone.chunks(256) {
        let ids = || padded(some.iter().copied());
        booking_event::Entity::delete_many().filter(booking_event::COLUMN.booking_id.is_in(ids())).exec(tx).await?;
        let said: Vec<TalkRecordId> = talk_record::Entity::find()
            .select_only()
            .column(talk_record::Column::Id)
            .filter(talk_record::COLUMN.booking_id.is_in(ids()))
            .into_tuple()
            .all(tx)
            .await?;
        files::drop_of(tx, FileThing::TalkRecord, said.iter().map(|id| id.0)).await?;
        files::drop_of(tx, FileThing::Booking, some.iter().map(|id| id.0)).await?;
        talk_record::Entity::delete_many().filter(talk_record::COLUMN.booking_id.is_in(ids())).exec(tx).await?;
        council_matter::Entity::delete_many().filter(council_matter::COLUMN.booking_id.is_in(ids())).exec(tx).await?;
        booking::Entity::delete_many().filter(booking::COLUMN.id.is_in(ids())).exec(tx).await?;
    }
    Ok(())
}

/// Takes the words out of days that were kept for their time; what is counted stays, and so does what was published.
pub async fn anonymise_old(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    let years = Months::new(app.config.privacy.case_archive_years.saturating_mul(12));
    let Some(before) = local_day(now).checked_sub_months(years) else { return Ok(()) };
    let empty = app.field_keys.close(&PrivateText::of_stored("{}".to_owned()))?;
    app.db
        .transact(async move |tx| {
            let waits = talk_wait::Entity::delete_many().filter(talk_wait::COLUMN.ended_at.lt(now - WAITS_KEPT));
            waits.exec(tx).await?;
            take_out(tx, before).await?;
            let old = talk_minutes::Entity::find()
                .select_only()
                .column(talk_minutes::Column::Id)
                .filter(talk_minutes::Column::TalkDayId.in_subquery(days_before(before)))
                .filter(talk_minutes::COLUMN.digest.ne(""))
                .limit(AT_ONCE);
            let old: Vec<TalkMinutesId> = old.into_tuple().all(tx).await?;
            if old.is_empty() {
                return Ok(());
            }
            minutes_signature::Entity::delete_many()
                .filter(minutes_signature::COLUMN.minutes_id.is_in(padded(old.iter().copied())))
                .exec(tx)
                .await?;
            talk_minutes::Entity::update_many()
                .col_expr(talk_minutes::Column::Document, Expr::value(empty.0.clone()))
                .col_expr(talk_minutes::Column::Digest, Expr::value(""))
                .filter(talk_minutes::COLUMN.id.is_in(padded(old)))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
}

fn days_before(before: NaiveDate) -> SelectStatement {
    let days = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    days.filter(talk_day::COLUMN.on_date.lt(before)).into_query()
}

async fn take_out(tx: &Tx, before: NaiveDate) -> Result<(), Problem> {
    let nothing = || Expr::value(Option::<String>::None);
    let said = talk_record::Entity::find().select_only().column(talk_record::Column::Id);
    let said = said.filter(talk_record::Column::TalkDayId.in_subquery(days_before(before)));
    files::drop_of_those(tx, FileThing::TalkRecord, said.into_query()).await?;
    let matters = booking::Entity::find().select_only().column(booking::Column::Id);
    let matters = matters.filter(booking::Column::TalkDayId.in_subquery(days_before(before)));
    files::drop_of_those(tx, FileThing::Booking, matters.into_query()).await?;
    talk_record::Entity::delete_many()
        .filter(talk_record::Column::TalkDayId.in_subquery(days_before(before)))
        .exec(tx)
        .await?;
    talk_rating::Entity::update_many()
        .col_expr(talk_rating::Column::Text, nothing())
        .filter(talk_rating::Column::TalkDayId.in_subquery(days_before(before)))
        .filter(talk_rating::COLUMN.text.is_not_null())
        .exec(tx)
        .await?;
    booking::Entity::update_many()
        .col_expr(booking::Column::Summary, Expr::val(""))
        .col_expr(booking::Column::Address, nothing())
        .col_expr(booking::Column::ObjectionText, nothing())
        .filter(booking::Column::TalkDayId.in_subquery(days_before(before)))
        .filter(booking::COLUMN.summary.ne(""))
        .exec(tx)
        .await?;
    Ok(())
}
