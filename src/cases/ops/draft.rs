//! Submitting a draft: it comes under the version that holds now, and only now its form must be whole.

use entity::case;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Map, Value};

use super::filing::sealed_form;
use crate::{
    app::App,
    cases::{
        advance::Act,
        papers::{self, PapersOf},
        sla,
        workflow::Action,
    },
    catalogue,
    clock::local_day,
    db::Tx,
    personal::{Personal, PrivateText},
    problem::Problem,
    settings,
};

/// The draft under the version of its item that holds now.
///
/// # Errors
/// `/item retired` where the item is offered no more.
pub(super) async fn renewed(tx: &Tx, app: &App, draft: case::Model) -> Result<case::Model, Problem> {
    let Some(id) = draft.item_id else { return Ok(draft) };
    let names = app.item_names.of(tx, std::iter::once(id)).await?;
    let code = names.get(&id).map(|name| name.code.as_str()).unwrap_or_default();
    let current = catalogue::current_terms(app, tx, [code].into()).await?;
    let item = current.get(code).filter(|item| !item.retired).ok_or_else(|| Problem::field("/item", "retired"))?;
    if item.id == id {
        return Ok(draft);
    }
    let clocks = settings::of_case(app, &draft);
    let of_concern = sla::promised_days(&clocks.terms, draft.kind, draft.concern);
    let of_concern = of_concern.and_then(|days| i32::try_from(days).ok());
    let statutory = if draft.kind == case::CaseKind::Proxy { item.statutory_days } else { draft.statutory_days };
    let next = case::Model {
        item_id: Some(item.id),
        promised_days: item.promised_days.or(of_concern),
        statutory_days: statutory,
        ..draft
    };
    case::Entity::update_many()
        .col_expr(case::Column::ItemId, Expr::value(next.item_id))
        .col_expr(case::Column::PromisedDays, Expr::value(next.promised_days))
        .col_expr(case::Column::StatutoryDays, Expr::value(next.statutory_days))
        .filter(case::COLUMN.id.eq(next.id))
        .exec(tx)
        .await?;
    Ok(next)
}

/// The step itself: with answers that take the place of the draft's, and earlier papers that are to serve.
///
/// # Errors
/// 422 below `/form` and `/reuse`, `consent_required`.
pub(super) async fn submitted(
    tx: &Tx,
    app: &App,
    draft: &case::Model,
    whose: &PapersOf,
    form: Option<Map<String, Value>>,
    reuse: &[String],
) -> Result<Act, Problem> {
    let kept = match form {
        Some(_) => None,
        None => app.field_keys.open_if::<PrivateText>(draft.form.as_ref())?,
    };
    let kept: Option<Map<String, Value>> =
        kept.map(|kept| serde_json::from_str(kept.in_the_clear()).map_err(Problem::unexpected)).transpose()?;
    check(tx, app, draft, form.as_ref().or(kept.as_ref())).await?;
    let requirements = match draft.item_id {
        Some(item) => Some(app.requirements.one(tx, item).await?),
        None => None,
    };
    let evidence = papers::reused(tx, whose, requirements.as_deref(), reuse, local_day(app.clock.now())).await?;
    Ok(Act { form: sealed_form(app, form)?, evidence, ..Act::plain(Action::Submit) })
}

/// Holds answers to the form of the version that a case is under.
///
/// # Errors
/// 422 below `/form`.
pub(super) async fn check(
    tx: &Tx,
    app: &App,
    case: &case::Model,
    answers: Option<&Map<String, Value>>,
) -> Result<(), Problem> {
    let faults = match case.item_id {
        Some(item) => app.requirements.one(tx, item).await?.form_faults(answers),
        None => answers.and_then(catalogue::form_fault).into_iter().collect(),
    };
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}
