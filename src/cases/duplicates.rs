//! Cases that may be about the same thing: candidates with reasons, for a person to decide.
//!
//! Looked for are cases of the same village within thirty days: about the same object, or of the same group and topic
//! with similar words. Nothing is merged by itself: who merged it can say why (办件可并, 人定).

use actix_web::{HttpResponse, get, web::Data, web::Path};
use chrono::TimeDelta;
use entity::{
    case::{self, CaseState},
    id::CaseId,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait};
use serde::Serialize;
use textdistance::{Algorithm as _, SorensenDice};
use utoipa::ToSchema;

use super::{
    ops::find,
    scope, trail,
    views::{self, StaffCaseView},
    workflow,
};
use crate::{
    app::App,
    auth::{Staff, duty::WorkOnCases},
    http::json,
    problem::Problem,
};

/// How far apart they may have been filed.
const WITHIN: TimeDelta = TimeDelta::days(30);
/// Cases that are looked at.
const LOOKED_AT: u64 = 200;
/// Candidates that are shown.
const SHOWN: usize = 20;
/// From which share of common pairs of characters two texts are similar.
const SIMILAR: f64 = 0.45;
/// So many households with one matter make it one for all (提交说事日或议事会).
const FOR_ALL: i32 = 10;

/// Why a case may be about the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateReason {
    /// The same object: lamp post, well, road.
    SameObject,
    /// The same villagers' group and topic.
    SameGroupAndTopic,
    /// Similar words.
    SimilarText,
}

/// A case that may be about the same thing.
#[derive(Serialize, ToSchema)]
pub struct DuplicateCandidate {
    case: StaffCaseView,
    reasons: Vec<DuplicateReason>,
    /// Share of common pairs of characters, 0 to 1.
    similarity: f64,
    /// Whether this one can be merged into it as it is.
    open: bool,
}

/// Candidates, the likeliest first.
#[derive(Serialize, ToSchema)]
pub struct DuplicateCandidates {
    items: Vec<DuplicateCandidate>,
    /// Households behind this case with those merged into it.
    weight: i32,
    /// Ten or more: it belongs on the next talk day or before the council.
    for_all: bool,
}

/// Cases that may be about the same thing as this one, with reasons.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)), responses((status = 200, body = DuplicateCandidates))
)]
#[get("/staff/cases/{id}/duplicates")]
pub async fn find_duplicates(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    let db = app.db.read();
    let case = scope::one(scope::of_staff(&staff), *id, db).await?;
    trail::read(&app, &staff, &case, "duplicates").await?;
    let rows = around(&app, &staff, &case).await?;
    let mut found: Vec<_> = rows.into_iter().filter_map(|other| weigh(&case, other)).collect();
    found.sort_by(|one, other| {
        let by_reasons = other.reasons.len().cmp(&one.reasons.len());
        by_reasons.then(other.similarity.total_cmp(&one.similarity)).then(one.case.id.cmp(&other.case.id))
    });
    found.truncate(SHOWN);
    let rows: Vec<case::Model> = found.iter().map(|found| found.case.clone()).collect();
    let names = find::Names::of_items(&app, db, &rows).await?;
    let around = scope::Around::look(db, &staff, &rows).await?;
    let mut items = Vec::with_capacity(found.len());
    for Found { case: other, reasons, similarity } in found {
        let open = !workflow::is_closed(other.state) && other.state != CaseState::Answered;
        let by = scope::parties(&staff, &other, &around);
        let case = views::for_staff(&app, other, &names, &by)?.in_a_list();
        items.push(DuplicateCandidate { case, reasons, similarity, open });
    }
    let weight = case.gathered + 1;
    json(&DuplicateCandidates { items, weight, for_all: weight >= FOR_ALL })
}

/// What lies near enough to be looked at, the newest first.
async fn around(app: &App, staff: &Staff<WorkOnCases>, case: &case::Model) -> Result<Vec<case::Model>, Problem> {
    let mut alike = Condition::any();
    if let Some(object) = &case.object {
        alike = alike.add(case::COLUMN.object.eq(object.clone()));
    }
    alike = match &case.topic {
        Some(topic) => alike.add(case::COLUMN.topic.eq(topic.clone())),
        None => alike.add(case::COLUMN.topic.is_null()),
    };
    let near = case::COLUMN
        .created_at
        .gte(case.created_at - WITHIN)
        .and(case::COLUMN.created_at.lte(case.created_at + WITHIN));
    Ok(scope::of_staff(staff)
        .filter(case::COLUMN.village_id.eq(case.village_id))
        .filter(case::COLUMN.confidential.eq(case.confidential))
        .filter(case::COLUMN.private.eq(case.private))
        .filter(case::COLUMN.state.ne(CaseState::Merged))
        .filter(case::COLUMN.id.ne(case.id))
        .filter(near)
        .filter(alike)
        .order_by_desc(case::Column::CreatedAt)
        .limit(LOOKED_AT)
        .all(app.db.read())
        .await?)
}

struct Found {
    case: case::Model,
    reasons: Vec<DuplicateReason>,
    similarity: f64,
}

/// Pairs of neighbouring characters: what Chinese words are mostly made of.
fn pairs(case: &case::Model) -> Vec<(char, char)> {
    let letters: Vec<char> = case.title.chars().chain(case.text.chars()).filter(|c| c.is_alphanumeric()).collect();
    letters.iter().copied().zip(letters.iter().copied().skip(1)).collect()
}

/// Whether another case is a candidate, and why.
fn weigh(case: &case::Model, other: case::Model) -> Option<Found> {
    let similarity = SorensenDice::default().for_iter(pairs(case).into_iter(), pairs(&other).into_iter()).nval();
    let same_object = case.object.is_some() && case.object == other.object;
    // Where the group of one is not known, the village is as near as it gets.
    let same_group = match (&case.group_name, &other.group_name) {
        (Some(one), Some(another)) => one == another,
        _ => true,
    };
    let same_topic = case.topic == other.topic && same_group;
    let similar = similarity >= SIMILAR;
    let alike = same_topic && similar;
    if !same_object && !alike {
        return None;
    }
    let reasons = [
        (DuplicateReason::SameObject, same_object),
        (DuplicateReason::SameGroupAndTopic, same_topic && case.topic.is_some()),
        (DuplicateReason::SimilarText, similar),
    ];
    let reasons = reasons.into_iter().filter(|(_, is)| *is).map(|(reason, _)| reason).collect();
    Some(Found { case: other, reasons, similarity: (similarity * 100.0).round() / 100.0 })
}
