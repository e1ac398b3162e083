//! `/catalogue/{code}/prepare`: what to bring for one item, and which of it the village has already.

use actix_web::{Responder, get, web::Data, web::Path};
use chrono::NaiveDate;
use entity::id::PersonId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{item::CatalogueItem, material::Material, ops, speech, views::said};
use crate::{
    app::App,
    auth::Villager,
    cases::{self, HeldPaper},
    clock::local_day,
    http::{Query, Single},
    people,
    problem::Problem,
};

/// `?for_person=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PrepareFor {
    /// Person id of somebody who let the caller act in this item.
    for_person: Option<PersonId>,
}

/// What is needed for an item.
#[derive(Serialize, ToSchema)]
pub struct Preparation {
    code: String,
    version: i32,
    name: String,
    /// For reading aloud.
    easy_text: String,
    /// Whether earlier papers may serve again: the consent `reuse_papers`. Without it none are named.
    reuse_agreed: bool,
    papers: Vec<NeededPaper>,
    /// JSON Schema 2020-12 of what is to be filled in.
    #[schema(required, value_type = Option<Object>)]
    form: Option<Value>,
}

/// A paper that is needed.
#[derive(Serialize, ToSchema)]
pub struct NeededPaper {
    #[serde(flatten)]
    material: Material,
    /// The one that the village has; its code may be named in `reuse` when the case is filed.
    held: Option<HeldPaperView>,
}

/// A paper that came with an earlier case.
#[derive(Serialize, ToSchema)]
pub struct HeldPaperView {
    /// The number of that case.
    case_number: String,
    received_on: NaiveDate,
    /// The last day on which it serves; null: as long as it lies there.
    valid_until: Option<NaiveDate>,
}

impl From<&HeldPaper> for HeldPaperView {
    fn from(held: &HeldPaper) -> Self {
        Self { case_number: held.case_number.clone(), received_on: held.received_on, valid_until: held.valid_until }
    }
}

/// What to bring, and what need not be brought again.
#[utoipa::path(
    tag = "catalogue", params(("code" = String, Path, example = "DZ-MZ-01"), PrepareFor),
    responses((status = 200, body = Preparation), (status = 304, description = "Not changed"))
)]
#[get("/catalogue/{code}/prepare")]
pub async fn prepare_item(
    app: Data<App>,
    me: Villager,
    code: Path<String>,
    query: Query<PrepareFor>,
) -> Result<impl Responder, Problem> {
    let db = app.db.read();
    let row = ops::find_offered(db, &code).await?;
    let item = CatalogueItem::of(&row)?;
    let today = local_day(app.clock.now());
    let whose = cases::PapersOf::find(db, &me, query.0.for_person, (row.kind, &row.code), today).await?;
    let agreed = people::agreed(db, whose.person(), people::REUSE_PAPERS).await?;
    let held = if agreed { whose.held(db, &item.materials, today).await? } else { vec![] };
    let easy_text = speech::of_item(&item);
    let needed = |material: Material| {
        let held = held.iter().find(|held| held.code == material.code).map(HeldPaperView::from);
        NeededPaper { held, material: said(material) }
    };
    Ok(Single(Preparation {
        code: row.code,
        version: row.version,
        name: item.name,
        easy_text,
        reuse_agreed: agreed,
        papers: item.materials.into_iter().map(needed).collect(),
        form: item.form,
    }))
}
