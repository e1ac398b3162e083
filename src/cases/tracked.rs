//! What is shown of a case without signing in. Next: [`super::ops::track`] for how it is found.

use chrono::{DateTime, NaiveDate, Utc};
use entity::case::{CaseKind, CaseState};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ops::track::TrackedStep, sla::DueLight, workflow};
use crate::{app::App, personal::PersonName, problem::Problem};

/// What anybody with the number and the phone tail may see: where it stands, no name, no text.
#[derive(Serialize, ToSchema)]
pub struct TrackedCase {
    number: String,
    kind: CaseKind,
    /// The item's name; other titles may be private and are left out.
    item: Option<String>,
    state: CaseState,
    submitted_at: DateTime<Utc>,
    promised_due_on: Option<NaiveDate>,
    statutory_due_on: Option<NaiveDate>,
    light: Option<DueLight>,
    /// Masked, e.g. 张*三.
    name: Option<PersonName>,
    milestones: Vec<TrackedMilestone>,
}

/// A step that was taken.
#[derive(Serialize, ToSchema)]
pub struct TrackedMilestone {
    at: DateTime<Utc>,
    action: String,
    to: CaseState,
    auto: bool,
}

/// The tracked view.
pub async fn tracked(app: &App, steps: Vec<TrackedStep>) -> Result<TrackedCase, Problem> {
    let step = |step: &TrackedStep| TrackedMilestone {
        at: step.at,
        action: step.action.clone(),
        to: step.to_state,
        auto: step.auto,
    };
    // Whose hands it is in is nobody's business who is not signed in.
    let milestones = steps.iter().filter(|step| !workflow::is_inner(&step.action)).map(step).collect();
    let case = steps.into_iter().next().ok_or_else(Problem::not_found)?;
    let names = app.item_names.of(app.db.read(), case.item_id.into_iter()).await?;
    Ok(TrackedCase {
        light: case.light(app),
        item: case.item_id.and_then(|id| names.get(&id)).map(|item| item.name.clone()),
        number: case.number,
        kind: case.kind,
        state: case.state,
        submitted_at: case.at,
        promised_due_on: case.promised_due_on,
        statutory_due_on: case.statutory_due_on,
        name: app.field_keys.open_if(case.contact_name.as_ref())?,
        milestones,
    })
}
