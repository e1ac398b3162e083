//! Cases when a person is joined with another or forgotten, and when an archive has been kept long enough.

use chrono::Months;
use entity::{
    Instant, authorisation_use, call_back,
    case::{self, CaseState},
    case_against, case_event,
    file::FileThing,
    follow_up,
    id::{AuthorisationId, CaseId, PersonId, ReviewId},
    person, review, review_appeal,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, sea_query::Expr,
};

use crate::{
    app::App,
    cases::search,
    content,
    db::{Tx, padded},
    files,
    problem::Problem,
};

/// Cases whose names are taken out in one transaction.
const AT_ONCE: u64 = 200;
/// What stands where words stood.
const TAKEN_OUT: &str = "（已匿名）";

/// The cases of one become those of the other, with what was done and said on them.
pub async fn move_person(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    for column in [case::Column::PersonId, case::Column::AgentId] {
        case::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    let by = case_event::Column::ByPerson;
    case_event::Entity::update_many().col_expr(by, Expr::val(into)).filter(by.eq(from)).exec(tx).await?;
    let of = review::Column::PersonId;
    review::Entity::update_many().col_expr(of, Expr::val(into)).filter(of.eq(from)).exec(tx).await?;
    Ok(())
}

/// What is left of somebody's cases when they go.
pub struct Archive {
    /// Not finished.
    pub open: u64,
    /// Finished.
    pub closed: u64,
    /// When the last of them was.
    pub last_closed_at: Option<Instant>,
}

/// Deletes drafts, which nobody has seen, shows no case to anybody any more, and says what must stay.
pub async fn forget_drafts(tx: &Tx, person: PersonId) -> Result<Archive, Problem> {
    let theirs = || case::Entity::find().filter(case::COLUMN.person_id.eq(person));
    let drafts: Vec<CaseId> = theirs()
        .select_only()
        .column(case::Column::Id)
        .filter(case::COLUMN.state.eq(CaseState::Draft))
        .into_tuple()
        .all(tx)
        .await?;
    if !drafts.is_empty() {
        files::drop_of(tx, FileThing::Case, drafts.iter().map(|id| id.0)).await?;
        let ids = padded(drafts);
        case_against::Entity::delete_many().filter(case_against::COLUMN.case_id.is_in(ids.clone())).exec(tx).await?;
        case::Entity::delete_many().filter(case::COLUMN.id.is_in(ids)).exec(tx).await?;
    }
    // Whoever goes agrees to nothing any more.
    case::Entity::update_many()
        .col_expr(case::Column::Public, Expr::val(false))
        .col_expr(case::Column::PublicId, Expr::value(Option::<String>::None))
        .filter(case::COLUMN.person_id.eq(person))
        .filter(case::COLUMN.public_id.is_not_null())
        .exec(tx)
        .await?;
    let last =
        theirs().filter(case::COLUMN.closed_at.is_not_null()).order_by_desc(case::Column::ClosedAt).one(tx).await?;
    Ok(Archive {
        open: theirs().filter(case::COLUMN.closed_at.is_null()).count(tx).await?,
        closed: theirs().filter(case::COLUMN.closed_at.is_not_null()).count(tx).await?,
        last_closed_at: last.and_then(|case| case.closed_at),
    })
}

/// Takes names, phones, forms and words out of cases that were kept for their time; numbers, days and results stay.
pub async fn anonymise_old(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    let years = Months::new(app.config.privacy.case_archive_years.saturating_mul(12));
    let Some(before) = now.checked_sub_months(years) else { return Ok(()) };
    loop {
        let due: Vec<CaseId> = case::Entity::find()
            .select_only()
            .column(case::Column::Id)
            .filter(case::COLUMN.closed_at.lt(before))
            .filter(case::COLUMN.text.ne(TAKEN_OUT))
            .order_by_asc(case::Column::ClosedAt)
            .limit(AT_ONCE)
            .into_tuple()
            .all(app.db.read())
            .await?;
        let some = due.len();
        if some > 0 {
            app.db.transact(async move |tx| anonymise(tx, &due, now).await).await?;
        }
        if some < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

async fn anonymise(tx: &Tx, ids: &[CaseId], now: Instant) -> Result<(), Problem> {
    let mut nobody = person::ActiveModel::of_nobody_yet(now);
    nobody.closed_at = Set(Some(now));
    let nobody = nobody.insert(tx).await?.id;
    let none = || Expr::value(Option::<String>::None);
    let nobody_at_all = || Expr::value(Option::<PersonId>::None);
    let these = || Condition::all().add(case::COLUMN.id.is_in(padded(ids.iter().copied())));
    case::Entity::update_many()
        .col_expr(case::Column::PersonId, Expr::val(nobody))
        .col_expr(case::Column::AgentId, nobody_at_all())
        .col_expr(case::Column::AuthorisationId, Expr::value(Option::<AuthorisationId>::None))
        .col_expr(case::Column::ContactName, none())
        .col_expr(case::Column::ContactPhone, none())
        .col_expr(case::Column::Form, none())
        .col_expr(case::Column::Text, Expr::val(TAKEN_OUT))
        .col_expr(case::Column::Title, Expr::val(TAKEN_OUT))
        .col_expr(case::Column::Object, none())
        .col_expr(case::Column::Summary, none())
        .filter(these())
        .exec(tx)
        .await?;
    files::drop_of(tx, FileThing::Case, ids.iter().map(|id| id.0)).await?;
    let reviewed: Vec<ReviewId> = review::Entity::find()
        .select_only()
        .column(review::Column::Id)
        .filter(review::COLUMN.case_id.is_in(padded(ids.iter().copied())))
        .into_tuple()
        .all(tx)
        .await?;
    files::drop_of(tx, FileThing::Review, reviewed.iter().map(|id| id.0)).await?;
    let of_these = || case_event::COLUMN.case_id.is_in(padded(ids.iter().copied()));
    case_event::Entity::update_many()
        .col_expr(case_event::Column::ByPerson, nobody_at_all())
        .col_expr(case_event::Column::Text, none())
        .col_expr(case_event::Column::Note, none())
        .col_expr(case_event::Column::Evidence, Expr::value(Option::<serde_json::Value>::None))
        .filter(of_these())
        .exec(tx)
        .await?;
    let used = authorisation_use::COLUMN.case_id.is_in(padded(ids.iter().copied()));
    authorisation_use::Entity::delete_many().filter(used).exec(tx).await?;
    review::Entity::update_many()
        .col_expr(review::Column::PersonId, Expr::val(nobody))
        .col_expr(review::Column::Text, none())
        .col_expr(review::Column::Addition, none())
        .filter(review::COLUMN.case_id.is_in(padded(ids.iter().copied())))
        .exec(tx)
        .await?;
    follow_up::Entity::update_many()
        .col_expr(follow_up::Column::ContactNote, none())
        .col_expr(follow_up::Column::OutcomeNote, none())
        .filter(follow_up::COLUMN.case_id.is_in(padded(ids.iter().copied())))
        .exec(tx)
        .await?;
    let of_these = review::Entity::find()
        .select_only()
        .column(review::Column::Id)
        .filter(review::COLUMN.case_id.is_in(padded(ids.iter().copied())))
        .into_query();
    review_appeal::Entity::update_many()
        .col_expr(review_appeal::Column::Text, Expr::val(TAKEN_OUT))
        .col_expr(review_appeal::Column::Decision, none())
        .filter(review_appeal::Column::ReviewId.in_subquery(of_these))
        .exec(tx)
        .await?;
    call_back::Entity::update_many()
        .col_expr(call_back::Column::Note, none())
        .filter(call_back::COLUMN.case_id.is_in(padded(ids.iter().copied())))
        .exec(tx)
        .await?;
    content::drop_cases(tx, ids).await?;
    search::keep::keep(tx, ids.iter().copied().collect()).await
}
