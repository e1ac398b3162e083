//! One page of whatever staff ask for: found by something typed, closed, or open in one of the lists.

use entity::case;
use serde_json::{Value, json};

use super::{
    closed_list,
    find::Narrow,
    staff_lists::{self, StaffView},
};
use crate::{
    app::App,
    auth::{Staff, duty::WorkOnCases},
    cases::search,
    http::PageQuery,
    problem::Problem,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which list.
    pub view: StaffView,
    /// What was typed; then the list does not narrow.
    pub typed: Option<String>,
    /// What it is narrowed by.
    pub by: Narrow,
}

/// At most `size + 1` cases in order, each with what the page after it goes on from.
pub async fn page(
    app: &App,
    staff: &Staff<WorkOnCases>,
    asked: &Asked,
    page: &PageQuery,
) -> Result<Vec<(Value, case::Model)>, Problem> {
    let by = &asked.by;
    if let Some(typed) = &asked.typed {
        let found = search::find::cases(app, staff, by, typed, page).await?;
        return Ok(found.into_iter().map(|(seq, row)| (json!(seq), row)).collect());
    }
    if asked.view == StaffView::Closed {
        let closed = closed_list::list(app, staff, by, page).await?;
        return Ok(closed.into_iter().map(|(key, row)| (json!(key), row)).collect());
    }
    let open = staff_lists::list(app, staff, asked.view, by, page).await?;
    Ok(open.into_iter().map(|row| (json!((row.due_on, row.id)), row)).collect())
}
