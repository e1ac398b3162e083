//! For staff: `/staff/divisions/{division}/talk-rules/preview`, `/staff/talk-rules/{id}/preview`
//!
//! Both are questions that come with a body; nothing is written.

use actix_web::{HttpResponse, http::StatusCode, post, web::Data, web::Path};
use chrono::NaiveDate;
use entity::id::{DivisionId, TalkRuleId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    http::Command,
    problem::Problem,
    talks::{
        bodies::{PreviewTalkRule, TalkRuleChange},
        ops::{rule_days::Hold, talk_rules},
        plan::KeptDay,
        sittings::SittingView,
    },
};

/// Dates shown of a rule that is to be changed.
const NEXT: usize = 12;

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(preview_talk_rule).service(preview_talk_rule_change);
}

/// The next dates of a rule that is not made yet.
#[derive(Serialize, ToSchema)]
pub struct TalkRulePreview {
    /// As many as were asked for; fewer when the rule has fewer within ten years.
    items: Vec<SittingView>,
}

/// What a change of a rule would do to the days of the coming eight weeks.
#[derive(Serialize, ToSchema)]
pub struct TalkRuleChangePreview {
    /// Days that would be made.
    made: Vec<NaiveDate>,
    /// Days that nobody has to do with and that would be replaced by one of the same date.
    remade: Vec<NaiveDate>,
    /// Days that nobody has to do with and that would go.
    removed: Vec<NaiveDate>,
    /// Days that would stay as they are: people have or had a place on them, wait for one, or changed them by hand.
    kept: Vec<KeptDay>,
    /// The next dates of the changed rule.
    next: Vec<SittingView>,
}

/// Shows the next dates of a rule before it is made.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = PreviewTalkRule,
    responses((status = 200, body = TalkRulePreview))
)]
#[post("/staff/divisions/{division}/talk-rules/preview")]
pub async fn preview_talk_rule(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    command: Command<PreviewTalkRule>,
) -> Result<HttpResponse, Problem> {
    let (now, caller, calendar) = (app.clock.now(), staff.caller(), app.calendar.load_full());
    let preview = async move |tx: &Tx, body: &PreviewTalkRule| {
        let dates = talk_rules::preview(tx, &staff, *division, body, &calendar, now).await?;
        Ok(TalkRulePreview { items: dates.iter().map(|sitting| SittingView::of(sitting, &calendar)).collect() })
    };
    command.once(&app, caller, StatusCode::OK, preview).await
}

/// Shows what a change of a rule would do: which days it makes and takes away, and which stay as they are because
/// people have to do with them.
#[utoipa::path(
    tag = "staff", params(("id" = TalkRuleId, Path)), request_body = TalkRuleChange,
    responses((status = 200, body = TalkRuleChangePreview))
)]
#[post("/staff/talk-rules/{id}/preview")]
pub async fn preview_talk_rule_change(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkRuleId>,
    command: Command<TalkRuleChange>,
) -> Result<HttpResponse, Problem> {
    let (now, caller, calendar) = (app.clock.now(), staff.caller(), app.calendar.load_full());
    let preview = async move |tx: &Tx, body: &TalkRuleChange| {
        let change = talk_rules::weigh_change(tx, &staff, *id, body, &calendar, (Hold::No, now)).await?;
        let next = change.next(NEXT, &calendar, now);
        let dates = |days: Vec<(_, NaiveDate)>| days.into_iter().map(|(_, date)| date).collect();
        Ok(TalkRuleChangePreview {
            made: change.plan.made,
            remade: dates(change.plan.remade),
            removed: dates(change.plan.removed),
            kept: change.plan.kept,
            next: next.iter().map(|sitting| SittingView::of(sitting, &calendar)).collect(),
        })
    };
    command.once(&app, caller, StatusCode::OK, preview).await
}
