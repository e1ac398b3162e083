//! `/lists/{name}`

use actix_web::{Responder, get, web::Path};
use serde::Serialize;
use utoipa::ToSchema;

use super::ListEntry;
use crate::{http::Single, problem::Problem};

/// A whole list, in the order it is to be shown.
#[derive(Serialize, ToSchema)]
pub struct ListView {
    items: &'static [ListEntry],
}

/// A closed list with its labels: `topics`, `concerns`, `duties`, `consent_purposes`, `review_tags`, `milestones`,
/// `registers`, `right_channels`, `talk_purposes`, `talk_formats`, `contact_ways`, `follow_up_outcomes`, `call_back_results`, `webhook_events` and the reasons `reject_reasons`, `return_reasons`, `transfer_reasons`,
/// `escalate_reasons`, `pause_reasons`, `extend_reasons`, `reopen_reasons`.
#[utoipa::path(
    tag = "lists", security(()), params(("name" = String, Path, example = "topics")),
    responses((status = 200, body = ListView), (status = 304, description = "Not changed"))
)]
#[get("/lists/{name}")]
pub async fn get_list(name: Path<String>) -> Result<impl Responder, Problem> {
    let items = super::entries(&name).ok_or_else(Problem::not_found)?;
    Ok(Single(ListView { items }))
}
