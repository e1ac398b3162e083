//! `/staff/cases/{id}/reveal`: whom to call, and what the form says.

use actix_web::{HttpResponse, post, web::Data, web::Path};
use entity::{case, id::CaseId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::scope;
use crate::{
    app::App,
    audit::{
        Entry,
        reveal::{self, Revealed, check_reason},
    },
    auth::{Staff, duty::WorkOnCases},
    clock::local_day,
    crypto::FieldKeys,
    db::Tx,
    http::{Command, json as answer},
    people,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
};

/// What of a case may be shown in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseField {
    /// 联系人
    ContactName,
    /// 联系电话
    ContactPhone,
    /// Answers to the item's form.
    Form,
}

/// Which fields, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealCase {
    #[validate(length(min = 1, max = 3))]
    #[schema(min_items = 1, max_items = 3)]
    fields: Vec<CaseField>,
    /// For the audit; 4 to 200 characters.
    #[validate(custom(function = "check_reason"))]
    #[schema(min_length = 4, max_length = 200)]
    reason: String,
}

/// Shows a case's contact or form in the clear. Entered in the audit, never kept as the answer of an `Idempotency-Key`.
#[utoipa::path(tag = "staff", params(("id" = CaseId, Path)), request_body = RevealCase, responses((status = 200, body = Revealed)))]
#[post("/staff/cases/{id}/reveal")]
pub async fn reveal_case(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
    command: Command<RevealCase>,
) -> Result<HttpResponse, Problem> {
    let (shared, body) = (app.clone(), command.body);
    answer(&app.db.transact(async move |tx| show(tx, &shared, &staff, *id, &body).await).await?)
}

/// The fields of a case that these staff may know of.
///
/// # Errors
/// `not_found` out of scope, `not_your_duty` for a child's data, `too_many_requests`.
async fn show(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    body: &RevealCase,
) -> Result<Revealed, Problem> {
    let case = scope::one(scope::of_staff(staff), id, tx).await?;
    let minor = people::is_minor(tx, &app.field_keys, case.person_id, local_day(app.clock.now())).await?;
    reveal::check_minor(staff, minor, &[case.village_id, case.township_id, case.county_id])?;
    let mut wanted = body.fields.clone();
    wanted.sort();
    wanted.dedup();
    let values = wanted.into_iter().map(|field| value(&app.field_keys, &case, field)).collect::<Result<_, _>>()?;
    let action = if case.confidential { "reveal_confidential_case" } else { "reveal_case" };
    let entry = Entry::done(action, "case", id).because(body.reason.trim());
    reveal::reveal(tx, app, staff, entry, values).await
}

fn value(keys: &FieldKeys, case: &case::Model, field: CaseField) -> Result<(&'static str, Value), Problem> {
    Ok(match field {
        CaseField::ContactName => {
            let name = keys.open_if::<PersonName>(case.contact_name.as_ref())?;
            ("contact_name", json!(name.map(|name| name.in_the_clear().to_owned())))
        }
        CaseField::ContactPhone => {
            let phone = keys.open_if::<PhoneNumber>(case.contact_phone.as_ref())?;
            ("contact_phone", json!(phone.map(|phone| phone.in_the_clear().to_owned())))
        }
        CaseField::Form => {
            let form = keys.open_if::<PrivateText>(case.form.as_ref())?;
            let form = form.map(|form| serde_json::from_str(form.in_the_clear()).map_err(Problem::unexpected));
            ("form", form.transpose()?.unwrap_or(Value::Null))
        }
    })
}
