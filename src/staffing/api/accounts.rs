//! Accounts and their postings.

use actix_web::{HttpResponse, Responder, delete, get, http::StatusCode, post, put, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::id::{DivisionId, StaffId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{
        Staff,
        duty::ManageAccounts,
        own_api::{Password, SeatView},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
    staffing::{
        bodies::{ChangeAccount, MakeAccount},
        ops::accounts::{self, Account},
    },
};

pub(in crate::staffing) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_accounts)
        .service(make_account)
        .service(get_account)
        .service(change_account)
        .service(dismiss_account);
}

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
pub struct AccountView {
    id: StaffId,
    username: String,
    name: String,
    /// In a list those that stand or are to come; of one account also those that are over.
    postings: Vec<SeatView>,
    wecom_userid: Option<String>,
    /// An authenticator is confirmed.
    totp: bool,
    created_at: DateTime<Utc>,
    dismissed_at: Option<DateTime<Utc>>,
}

impl AccountView {
    fn of((row, seats): Account) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            username: row.username,
            name: row.name,
            postings: seats.into_iter().map(SeatView::of).collect::<Result<_, _>>()?,
            wecom_userid: row.wecom_userid,
            totp: row.totp_confirmed_at.is_some(),
            created_at: row.created_at,
            dismissed_at: row.dismissed_at,
        })
    }
}

/// `?division=&q=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAccounts {
    /// Those posted to a place or below it.
    division: Option<DivisionId>,
    /// A part of the name or the user name.
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64)]
    q: Option<String>,
}

/// Accounts of one's places that are not dismissed.
#[utoipa::path(tag = "staff", params(ListAccounts, PageQuery), responses((status = 200, body = Page<AccountView>)))]
#[get("/staff/accounts")]
pub async fn list_accounts(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    query: ListQuery<ListAccounts>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = accounts::list(&app, &staff, by.division, by.q.as_deref(), &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.0.id, AccountView::of)?.sound()?)
}

/// Makes an account with its postings.
#[utoipa::path(tag = "staff", request_body = MakeAccount, responses((status = 201, body = AccountView)))]
#[post("/staff/accounts")]
pub async fn make_account(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    command: Command<MakeAccount>,
) -> Result<HttpResponse, Problem> {
    let hash = hash(&app, Some(&command.body.password)).await?.unwrap_or_default();
    let (shared, caller) = (app.clone(), staff.caller());
    let make = async move |tx: &Tx, body: &MakeAccount| {
        AccountView::of(accounts::make(tx, &shared, &staff, body, &hash).await?)
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// One account with all its postings, past and to come.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path)),
    responses((status = 200, body = AccountView), (status = 304, description = "Not changed"))
)]
#[get("/staff/accounts/{id}")]
pub async fn get_account(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    id: Path<StaffId>,
) -> Result<impl Responder, Problem> {
    Ok(Single(AccountView::of(accounts::find(&app, &staff, *id).await?)?))
}

/// Changes an account. Of oneself only the name: nobody posts themselves.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path)), request_body = ChangeAccount,
    responses((status = 200, body = AccountView))
)]
#[put("/staff/accounts/{id}")]
pub async fn change_account(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    id: Path<StaffId>,
    command: Command<ChangeAccount>,
) -> Result<HttpResponse, Problem> {
    let hash = hash(&app, command.body.password.as_ref()).await?;
    let (shared, caller) = (app.clone(), staff.caller());
    let change = async move |tx: &Tx, body: &ChangeAccount| {
        AccountView::of(accounts::change(tx, &shared, &staff, *id, body, hash.as_deref()).await?)
    };
    command.once(&app, caller, StatusCode::OK, change).await
}

/// Dismisses somebody: their tokens stop working at once, their open work goes back to its units.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path)), responses((status = 204, description = "Dismissed"))
)]
#[delete("/staff/accounts/{id}")]
pub async fn dismiss_account(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    id: Path<StaffId>,
) -> Result<HttpResponse, Problem> {
    let shared = app.clone();
    app.db.transact(async move |tx| accounts::dismiss(tx, &shared, &staff, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hashed before the transaction, which holds a lock others wait for.
async fn hash(app: &App, password: Option<&Password>) -> Result<Option<String>, Problem> {
    match password {
        Some(password) => app.passwords.make(password.in_the_clear().to_owned()).await.map(Some),
        None => Ok(None),
    }
}
