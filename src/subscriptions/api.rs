//! `/subscriptions`, `/subscriptions/templates`

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data};
use entity::subscription::SubscriptionAnswer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::ops::{self, Standing};
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Command, Page, json},
    problem::Problem,
};

/// A template that one may be asked for, and where one stands with it.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionTemplateView {
    /// For `wx.requestSubscribeMessage`; long-term templates and others are not asked for together.
    template_id: String,
    /// What it is used for: a stable slug.
    purpose: String,
    /// One accept is good for many messages.
    long_term: bool,
    /// Messages that would still be taken, as far as we know; of a long-term template 1 or 0.
    left: i32,
    /// What was said last.
    answer: Option<SubscriptionAnswer>,
}

impl From<Standing<'_>> for SubscriptionTemplateView {
    fn from((template, row): Standing<'_>) -> Self {
        Self {
            template_id: template.id.clone(),
            purpose: template.purpose.clone(),
            long_term: template.long_term,
            left: row.as_ref().map_or(0, |row| row.remaining),
            answer: row.and_then(|row| row.answer),
        }
    }
}

/// What `wx.requestSubscribeMessage` answered.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportSubscriptions {
    /// Template -> answer.
    #[validate(length(min = 1, max = 10))]
    answers: BTreeMap<String, SubscriptionAnswer>,
}

/// Templates of messages, and how many of each one would still be sent.
#[utoipa::path(tag = "me", responses((status = 200, body = Page<SubscriptionTemplateView>)))]
#[get("/subscriptions/templates")]
pub async fn list_subscription_templates(app: Data<App>, me: Villager) -> Result<HttpResponse, Problem> {
    let standing = ops::standing(app.db.read(), &app, &me).await?;
    json(&Page::whole(standing.into_iter().map(SubscriptionTemplateView::from).collect()))
}

/// Tells what one answered when one was asked for templates. WeChat tells it too; an answer counts once.
#[utoipa::path(
    tag = "me", request_body = ReportSubscriptions, responses((status = 200, body = Page<SubscriptionTemplateView>))
)]
#[post("/subscriptions")]
pub async fn report_subscriptions(
    app: Data<App>,
    me: Villager,
    command: Command<ReportSubscriptions>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), me.caller(), app.clock.now());
    let report = async move |tx: &Tx, body: &ReportSubscriptions| {
        ops::report(tx, &shared, &me, &body.answers, now).await?;
        let standing = ops::standing(tx, &shared, &me).await?;
        Ok(Page::whole(standing.into_iter().map(SubscriptionTemplateView::from).collect()))
    };
    command.once(&app, caller, StatusCode::OK, report).await
}
