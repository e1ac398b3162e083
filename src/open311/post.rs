//! `POST /open311/v2/requests`: a program files a matter for somebody, once however often it asks.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header::CONTENT_TYPE, post, web::Bytes, web::Data, web::Path};
use chrono::TimeDelta;
use entity::{api_key, case, open311_request};
use rust_i18n::t;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter, Set};

use super::{
    form::{Open311Form, Said},
    format::{Answer, Fault, respond},
    keys, place,
    views::Open311Filed,
};
use crate::{
    app::App,
    auth::{self, address_of},
    cases::{
        emergency,
        publication::{self, FromOutside},
    },
    db::Tx,
    divisions,
    problem::{Code, Language, OnUnique, Problem},
};

/// How long the same body from the same key is the same matter, where no `Idempotency-Key` names the call.
const SAME_BODY_MINUTES: i64 = 10;

/// Files a matter that anybody may see, for somebody who is named with a phone. The same `Idempotency-Key`, or the same
/// form within ten minutes, files nothing a second time.
#[utoipa::path(
    tag = "open311", security(()), params(("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$")),
    request_body(content = Open311Form, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, content((Vec<Open311Filed> = "application/json"), (String = "text/xml"))))
)]
#[post("/open311/v2/requests.{format}")]
pub async fn file_open311_request(
    app: Data<App>,
    req: HttpRequest,
    format: Path<String>,
    language: Language,
    bytes: Result<Bytes, actix_web::Error>,
) -> HttpResponse {
    let outcome = async {
        // Whoever asks for a format that there is not must not have filed anything.
        super::format::Format::of(&format)?;
        let bytes = bytes.map_err(|fault| match fault.as_response_error().status_code().as_u16() {
            413 => Fault::new(413, "the form is too large"),
            _ => Fault::new(400, "the form cannot be read"),
        })?;
        file(app.into_inner(), &req, &bytes, language).await
    };
    respond(&format, outcome.await)
}

async fn file(app: Arc<App>, req: &HttpRequest, bytes: &[u8], language: Language) -> Result<Answer, Fault> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let asked = Said::read(kind, bytes)?;
    let key = keys::known(&app, asked.get("api_key"), address_of(req, &app)).await?;
    let jurisdiction = place::jurisdiction(&app, &asked).await?;
    let said = Said::of(asked)?;
    let village = place::village(app.db.read(), &jurisdiction, &said.asked).await?;
    if !divisions::line_up(&village).contains(&Some(key.division_id)) {
        return Err(Fault::new(403, "api_key is not valid for this place"));
    }
    let call = Call::of(&app, req, &key, bytes)?;
    if let Some(case) = call.answered(app.db.read()).await? {
        return filed(&case, &emergency::calls([&case.title, &case.text]), language);
    }
    let matter = FromOutside {
        name: said.name,
        phone: said.phone,
        village: village.id,
        topic: said.topic,
        concern: said.concern,
        text: said.text,
        through: format!("Open311: {}", key.name),
    };
    let (shared, remembered) = (Arc::clone(&app), call.clone());
    let operation = async move |tx: &Tx| insert(tx, &shared, &key, &matter, &remembered).await;
    match app.db.transact(operation).await {
        Ok((case, calls)) => filed(&case, &calls, language),
        // Of two at once the second waited, was taken back whole, and is told what the first was.
        Err(problem) if problem.code() == Code::IdempotencyInProgress => match call.answered(app.db.read()).await? {
            Some(case) => filed(&case, &emergency::calls([&case.title, &case.text]), language),
            None => Err(problem.into()),
        },
        Err(problem) => Err(problem.into()),
    }
}

type Filed = (case::Model, Vec<emergency::EmergencyCall>);

async fn insert(tx: &Tx, app: &App, key: &api_key::Model, matter: &FromOutside, call: &Call) -> Result<Filed, Problem> {
    let now = app.clock.now();
    let limit = app.config.open311.filings_per_minute;
    auth::count_try(tx, &format!("open311-key:{}", key.id), limit, TimeDelta::minutes(1), now).await?;
    // Calls of one key wait for each other here: what was filed meanwhile is seen.
    if call.known(tx).await?.is_some() {
        return Err(Code::IdempotencyInProgress.into());
    }
    let (case, calls) = publication::file_from_outside(tx, app, matter).await?;
    let mut used = key.clone().into_active_model();
    used.used_at = Set(Some(now));
    used.update(tx).await?;
    let row = open311_request::ActiveModel {
        key: Set(call.names.first().cloned().unwrap_or_default()),
        case_id: Set(case.id),
        fingerprint: Set(call.fingerprint.clone()),
        created_at: Set(now),
    };
    let inserted = open311_request::Entity::insert(row).exec_without_returning(tx).await;
    inserted.on_unique(Code::IdempotencyInProgress)?;
    Ok((case, calls))
}

/// What makes a call repeatable.
#[derive(Clone)]
struct Call {
    /// Under what it is remembered, and under what it may have been a moment ago.
    names: Vec<String>,
    fingerprint: String,
}

impl Call {
    fn of(app: &App, req: &HttpRequest, key: &api_key::Model, bytes: &[u8]) -> Result<Self, Fault> {
        let text = String::from_utf8_lossy(bytes);
        // Keyed: of a short form a plain hash could be guessed.
        let fingerprint = app.field_keys.blind_index("open311", &text)?;
        let names = if let Some(word) = req.headers().get("Idempotency-Key") {
            let fits = |word: &&str| (8..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
            let word = word.to_str().ok().filter(fits);
            let word = word.ok_or_else(|| Fault::new(400, "Idempotency-Key has 8 to 64 visible ASCII characters"))?;
            vec![format!("{}:key:{word}", key.id)]
        } else {
            let span = app.clock.now().timestamp().div_euclid(60 * SAME_BODY_MINUTES);
            [span, span - 1, span + 1].map(|span| format!("{}:body:{fingerprint}:{span}", key.id)).to_vec()
        };
        Ok(Self { names, fingerprint })
    }

    /// What is remembered of it.
    async fn known(&self, db: &impl ConnectionTrait) -> Result<Option<open311_request::Model>, Problem> {
        let names = self.names.iter().map(String::as_str);
        Ok(open311_request::Entity::find().filter(open311_request::COLUMN.key.is_in(names)).one(db).await?)
    }

    /// The case that it filed already.
    async fn answered(&self, db: &DatabaseConnection) -> Result<Option<case::Model>, Fault> {
        let Some(known) = self.known(db).await? else { return Ok(None) };
        if known.fingerprint != self.fingerprint {
            return Err(Fault::new(422, "this Idempotency-Key was used with another form"));
        }
        Ok(case::Entity::find_by_id(known.case_id).one(db).await?)
    }
}

fn filed(case: &case::Model, calls: &[emergency::EmergencyCall], language: Language) -> Result<Answer, Fault> {
    let chinese = language != Language::En;
    let mut notice: Vec<String> = calls.iter().map(|call| call.in_words(chinese).to_owned()).collect();
    notice.push(t!("open311.notice", locale = language.tag(), number = case.number).into_owned());
    let request = Open311Filed {
        service_request_id: case.public_id.clone().unwrap_or_default(),
        service_notice: notice.join(" "),
        account_id: None,
    };
    Answer::of("service_requests", &[request])
}
