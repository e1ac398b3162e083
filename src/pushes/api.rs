//! `/wechat/push`

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::ContentType,
    post,
    web::{self, Data, Payload},
};
use chrono::TimeDelta;

use super::ops;
use crate::{
    app::App,
    auth::check_bad_push,
    problem::{Code, Problem, ProblemSchema},
    wechat::push::{BODY_BYTES, Inbox, PushError, PushQuery},
};

/// How far the time of a push may lie from ours. All attempts of one push carry the same time.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// What stops WeChat from trying again.
const SUCCESS: &str = "success";

/// Nothing is there where no token is configured.
fn inbox(app: &App) -> Result<&Inbox, Problem> {
    app.pushes.as_deref().ok_or_else(Problem::not_found)
}

/// Unknown parameters are WeChat's affair; what is missing fits no signature.
fn query(req: &HttpRequest) -> PushQuery {
    web::Query::<PushQuery>::from_query(req.query_string()).map(web::Query::into_inner).unwrap_or_default()
}

/// Refuses what is signed by somebody else, or what somebody heard and sends again later.
fn refused(app: &App, req: &HttpRequest) -> Problem {
    check_bad_push(app, req).err().unwrap_or_else(|| Code::PushRefused.into())
}

fn is_fresh(app: &App, query: &PushQuery) -> bool {
    let sent: Option<i64> = query.timestamp.parse().ok();
    sent.is_some_and(|sent| sent.abs_diff(app.clock.now().timestamp()) <= FRESH.num_seconds().unsigned_abs())
}

fn plain(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(text)
}

/// WeChat tries the address out: `echostr` comes back when the signature fits.
#[utoipa::path(
    tag = "wechat", security(()),
    params(
        ("signature" = Option<String>, Query), ("timestamp" = Option<String>, Query, description = "Unix seconds"),
        ("nonce" = Option<String>, Query), ("echostr" = Option<String>, Query),
    ),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 403, description = "The signature does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No token is configured", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
#[get("/wechat/push")]
pub async fn verify_wechat_push(app: Data<App>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = query(&req);
    match inbox(&app)?.verify_url(&query) {
        Ok(echo) if is_fresh(&app, &query) => Ok(plain(echo.to_owned())),
        _ => Err(refused(&app, &req)),
    }
}

/// A message or an event, plain or sealed, in JSON or XML; it is stored and answered, and takes effect a little later.
#[utoipa::path(
    tag = "wechat", security(()),
    params(
        ("signature" = Option<String>, Query), ("timestamp" = Option<String>, Query, description = "Unix seconds"),
        ("nonce" = Option<String>, Query),
        ("msg_signature" = Option<String>, Query, description = "Of a sealed push"),
    ),
    request_body(content((String = "application/json"), (String = "text/xml"))),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`success`"),
        (status = 403, description = "The signature does not fit, or the push is old", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
#[post("/wechat/push")]
pub async fn receive_wechat_push(app: Data<App>, req: HttpRequest, body: Payload) -> Result<HttpResponse, Problem> {
    let inbox = inbox(&app)?;
    let body = match body.to_bytes_limited(BODY_BYTES).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Code::Malformed.into()),
        Err(_) => return Err(Code::TooLarge.into()),
    };
    let query = query(&req);
    let pushed = match inbox.receive(&query, &body) {
        Ok(pushed) => pushed,
        // Signed, and no message: it comes again for ever if it is refused, and tells nothing.
        Err(PushError::Unreadable) if inbox.verify_url(&query).is_ok() && !inbox.is_sealed() => {
            return Ok(plain(SUCCESS.to_owned()));
        }
        Err(fault) => {
            tracing::info!(reason = %fault, "a push was refused");
            return Err(refused(&app, &req));
        }
    };
    if !is_fresh(&app, &query) {
        return Err(refused(&app, &req));
    }
    let (shared, now) = (app.clone(), app.clock.now());
    app.db.transact(async move |tx| ops::keep(tx, &shared, &pushed, now).await).await?;
    Ok(plain(SUCCESS.to_owned()))
}
