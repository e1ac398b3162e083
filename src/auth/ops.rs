//! Signing in, keeping signed in, signing out.

use chrono::TimeDelta;
use entity::{
    id::{SessionId, StaffId},
    person, refresh_token, session, staff, wechat_account,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set};
use std::net::IpAddr;

use super::{accounts, actor::Posted, own, sessions, throttle, tokens, trail};
use crate::{
    app::App,
    db::{self, Tx},
    problem::{Code, Problem},
    wechat::WechatError,
};

/// What signing in yields.
pub struct SignedIn<T> {
    /// For the `Authorization` header.
    pub access_token: String,
    /// For `refresh`; shown once.
    pub refresh_token: String,
    /// Who.
    pub who: T,
}

const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Signs a villager in with the code of `wx.login`, making the person at the first visit.
///
/// # Errors
/// `wechat_code_invalid`, `wechat_unavailable`, `too_many_requests`.
pub async fn sign_in_wechat(
    app: &App,
    code: &str,
    address: Option<IpAddr>,
) -> Result<SignedIn<person::Model>, Problem> {
    throttle::check_sign_in(app, address)?;
    let account = app.wechat.code_to_session(code).await.map_err(in_our_words)?;
    let now = app.clock.now();
    let tokens = NewTokens::make(app);
    let refresh = tokens.clone();
    let who = app
        .db
        .transact(async move |tx| {
            let person = find_or_make_person(tx, &account.openid, account.unionid.as_deref(), now).await?;
            let opened = session::ActiveModel {
                id: Set(refresh.session),
                person_id: Set(Some(person.id)),
                staff_id: Set(None),
                second_factor: Set(false),
                created_at: Set(now),
                ended_at: Set(None),
            };
            opened.insert(tx).await?;
            refresh.keep(tx, now).await?;
            Ok(person)
        })
        .await?;
    tokens.signed_in(app, who)
}

fn in_our_words(fault: WechatError) -> Problem {
    match fault {
        WechatError::BadCode { .. } => Code::WechatCodeInvalid.into(),
        other => {
            tracing::warn!(error = %other, "WeChat did not sign somebody in");
            Code::WechatUnavailable.into()
        }
    }
}

async fn find_or_make_person(
    tx: &Tx,
    openid: &str,
    unionid: Option<&str>,
    now: entity::Instant,
) -> Result<person::Model, Problem> {
    let known = wechat_account::Entity::find_by_id(openid.to_owned()).lock_shared().one(tx).await?;
    if let Some(account) = known {
        let person = person::Entity::find_by_id(account.person_id).one(tx).await?;
        return person.ok_or_else(|| Problem::unexpected("an account of nobody"));
    }
    let person = person::ActiveModel::of_nobody_yet(now);
    let person = person.insert(tx).await?;
    let account = wechat_account::ActiveModel {
        openid: Set(openid.to_owned()),
        unionid: Set(unionid.map(str::to_owned)),
        person_id: Set(person.id),
        created_at: Set(now),
    };
    // Two first visits at once: the second try finds the account.
    account.insert(tx).await.map_err(db::again_on_unique)?;
    Ok(person)
}

/// What signing in yields to staff.
pub type StaffSignedIn = SignedIn<(staff::Model, Vec<Posted>)>;

/// Signs staff in with a password, and a one-time code where the account has an authenticator.
///
/// # Errors
/// `bad_credentials` (the same for an unknown name), `totp_required` only after the right password,
/// `too_many_requests` after failures.
pub async fn sign_in_staff(
    app: &App,
    username: &str,
    password: String,
    code: Option<&str>,
    address: Option<IpAddr>,
    request: &str,
) -> Result<StaffSignedIn, Problem> {
    let now = app.clock.now();
    let username = username.trim().to_lowercase();
    let by_account = throttle::account_key(app, &username)?;
    count_try(app, by_account.clone(), address, now).await?;
    let found = staff::Entity::find().filter(staff::COLUMN.username.eq(&username)).one(app.db.read()).await?;
    let found = found.filter(|person| person.dismissed_at.is_none());
    let hash = found.as_ref().map(|person| person.password_hash.clone());
    let right = app.passwords.verify(password, hash).await?;
    let known = found.as_ref().map(|person| person.id);
    let Some(person) = found.filter(|_| right) else { return refused(app, known, request).await };
    let step = match (person.totp_confirmed_at, code) {
        (None, _) => None,
        (Some(_), Some(code)) => match own::step_of(app, &person, code, now)? {
            Some(step) => Some(step),
            None => return refused(app, known, request).await,
        },
        (Some(_), None) => {
            // No guess of a code: this one try is taken back, but what was guessed before stays counted.
            app.db.transact(async move |tx| throttle::give_back(tx, &by_account).await).await?;
            return Err(Code::TotpRequired.into());
        }
    };
    let tokens = NewTokens::make(app);
    let (refresh, judged) = (tokens.clone(), person.clone());
    let (keys, request) = (app.field_keys.clone(), request.to_owned());
    let open = async move |tx: &Tx| {
        // Held until the session stands: a password change or a dismissal comes before it or ends it.
        hold(tx, &judged, step).await?;
        throttle::forget(tx, &by_account).await?;
        refresh.open_for_staff(tx, judged.id, step.is_some(), now).await?;
        trail::signed_in(tx, &keys, judged.id, &request, now).await
    };
    app.db.transact(open).await?;
    let postings = postings_behind(app, tokens.session).await?;
    tokens.signed_in(app, (person, postings))
}

/// The refusal of wrong credentials, whatever was wrong; entered in the audit.
async fn refused<T>(app: &App, known: Option<StaffId>, request: &str) -> Result<T, Problem> {
    trail::refused(app, known, request).await?;
    Err(Code::BadCredentials.into())
}

/// A try is counted before it is judged, so that a hundred at once are still five.
pub(super) async fn count_try(
    app: &App,
    by_account: String,
    address: Option<IpAddr>,
    now: entity::Instant,
) -> Result<(), Problem> {
    let limits = app.config.auth.throttle.clone();
    let count = async move |tx: &Tx| {
        throttle::count(tx, &by_account, limits.staff_failures_per_account, WINDOW, now).await?;
        if let Some(address) = address {
            let key = format!("staff-address:{address}");
            throttle::count(tx, &key, limits.staff_failures_per_address, WINDOW, now).await?;
        }
        Ok(())
    };
    app.db.transact(count).await
}

/// Holds the account as it was judged, and takes its code out of use.
async fn hold(tx: &Tx, judged: &staff::Model, step: Option<i64>) -> Result<(), Problem> {
    let row = staff::Entity::find_by_id(judged.id).lock_exclusive().one(tx).await?;
    row.filter(|row| as_judged(row, judged)).ok_or(Code::BadCredentials)?;
    match step {
        Some(step) => use_up(tx, judged.id, step).await,
        None => Ok(()),
    }
}

fn as_judged(row: &staff::Model, judged: &staff::Model) -> bool {
    row.dismissed_at.is_none()
        && row.password_hash == judged.password_hash
        && row.totp_confirmed_at == judged.totp_confirmed_at
}

/// A code is good once: of two at once one passes.
async fn use_up(tx: &Tx, id: StaffId, step: i64) -> Result<(), Problem> {
    let last = staff::COLUMN.totp_last_step;
    let used = staff::Entity::update_many()
        .col_expr(staff::Column::TotpLastStep, step.into())
        .filter(staff::COLUMN.id.eq(id))
        .filter(Condition::any().add(last.is_null()).add(last.lt(step)))
        .exec(tx)
        .await?;
    if used.rows_affected == 1 { Ok(()) } else { Err(Code::BadCredentials.into()) }
}

/// Signs in the staff member to whom this `WeCom` user id is bound. Who calls has it from `WeCom` itself, whose own
/// sign-in is the second factor.
///
/// # Errors
/// `wecom_not_bound`, also for somebody dismissed.
pub async fn sign_in_wecom(app: &App, userid: &str, request: &str) -> Result<StaffSignedIn, Problem> {
    let now = app.clock.now();
    let userid = accounts::wecom_userid(userid).ok_or(Code::WecomNotBound)?;
    let tokens = NewTokens::make(app);
    let (refresh, keys, request) = (tokens.clone(), app.field_keys.clone(), request.to_owned());
    let open = async move |tx: &Tx| {
        let bound = staff::Entity::find().filter(staff::COLUMN.wecom_userid.eq(userid.as_str()));
        let bound = bound.filter(staff::COLUMN.dismissed_at.is_null());
        let person = bound.lock_exclusive().one(tx).await?.ok_or(Code::WecomNotBound)?;
        refresh.open_for_staff(tx, person.id, true, now).await?;
        trail::signed_in(tx, &keys, person.id, &request, now).await?;
        Ok(person)
    };
    let person = app.db.transact(open).await?;
    let postings = postings_behind(app, tokens.session).await?;
    tokens.signed_in(app, (person, postings))
}

/// Trades a refresh token for new tokens. A used one that comes back ends its session: somebody has a copy.
///
/// # Errors
/// `session_ended`.
pub async fn refresh(app: &App, token: &str, request: &str) -> Result<SignedIn<Who>, Problem> {
    let now = app.clock.now();
    let (keys, request) = (app.field_keys.clone(), request.to_owned());
    let hash = tokens::hash(token);
    let (fresh, fresh_hash) = tokens::refresh_token();
    let expires_at = now + TimeDelta::days(app.config.auth.refresh_days);
    let outcome = app
        .db
        .transact(async move |tx| {
            let row = refresh_token::Entity::find_by_id(hash.clone()).one(tx).await?;
            let Some(row) = row.filter(|row| row.expires_at > now) else { return Ok(None) };
            let session = session::Entity::find_by_id(row.session_id).one(tx).await?;
            let Some(session) = session.filter(|session| session.ended_at.is_none()) else { return Ok(None) };
            let used = refresh_token::Entity::update_many()
                .col_expr(refresh_token::Column::UsedAt, now.into())
                .filter(refresh_token::COLUMN.hash.eq(&hash))
                .filter(refresh_token::COLUMN.used_at.is_null())
                .exec(tx)
                .await?;
            if used.rows_affected == 0 {
                end(tx, row.session_id, now).await?;
                trail::ended(tx, &keys, &session, "detect_token_reuse", &request, now).await?;
                return Ok(None);
            }
            keep_refresh(tx, &fresh_hash, session.id, now, expires_at).await?;
            Ok(Some(session))
        })
        .await?;
    let session = outcome.ok_or(Problem::new(Code::SessionEnded))?;
    let access_token = app.keyring.sign(session.id, now)?;
    Ok(SignedIn { access_token, refresh_token: fresh, who: who(app, &session).await? })
}

/// A villager or staff.
pub enum Who {
    /// A villager.
    Person(person::Model),
    /// Staff with their postings.
    Staff(staff::Model, Vec<Posted>),
}

async fn who(app: &App, session: &session::Model) -> Result<Who, Problem> {
    let ended = || Problem::new(Code::SessionEnded);
    if let Some(id) = session.person_id {
        let person = person::Entity::find_by_id(id).one(app.db.read()).await?;
        return person.map(Who::Person).ok_or_else(ended);
    }
    let id = session.staff_id.ok_or_else(ended)?;
    let person = staff::Entity::find_by_id(id).one(app.db.read()).await?;
    let person = person.filter(|person| person.dismissed_at.is_none()).ok_or_else(ended)?;
    let postings = postings_behind(app, session.id).await?;
    Ok(Who::Staff(person, postings))
}

async fn postings_behind(app: &App, session: SessionId) -> Result<Vec<Posted>, Problem> {
    sessions::postings(app, app.sessions.submit(session).await?)
}

/// Ends a session: its tokens stop working at once.
pub async fn sign_out(app: &App, session: SessionId, request: &str) -> Result<(), Problem> {
    let now = app.clock.now();
    let (keys, request) = (app.field_keys.clone(), request.to_owned());
    app.db
        .transact(async move |tx| match end(tx, session, now).await? {
            Some(row) if row.staff_id.is_some() => trail::ended(tx, &keys, &row, "sign_out", &request, now).await,
            _ => Ok(()),
        })
        .await
}

/// The session as it is then; `None` when it had ended before.
async fn end(tx: &Tx, id: SessionId, now: entity::Instant) -> Result<Option<session::Model>, Problem> {
    let row = session::Entity::find_by_id(id).one(tx).await?;
    let Some(row) = row.filter(|row| row.ended_at.is_none()) else { return Ok(None) };
    let mut row = row.into_active_model();
    row.ended_at = Set(Some(now));
    Ok(Some(row.update(tx).await?))
}

#[derive(Clone)]
struct NewTokens {
    session: SessionId,
    refresh: String,
    hash: String,
    life: TimeDelta,
}

impl NewTokens {
    fn make(app: &App) -> Self {
        let (refresh, hash) = tokens::refresh_token();
        Self { session: SessionId::fresh(), refresh, hash, life: TimeDelta::days(app.config.auth.refresh_days) }
    }

    async fn open_for_staff(
        &self,
        tx: &Tx,
        staff: StaffId,
        second_factor: bool,
        now: entity::Instant,
    ) -> Result<(), Problem> {
        let opened = session::ActiveModel {
            id: Set(self.session),
            person_id: Set(None),
            staff_id: Set(Some(staff)),
            second_factor: Set(second_factor),
            created_at: Set(now),
            ended_at: Set(None),
        };
        opened.insert(tx).await?;
        self.keep(tx, now).await
    }

    async fn keep(&self, tx: &Tx, now: entity::Instant) -> Result<(), Problem> {
        keep_refresh(tx, &self.hash, self.session, now, now + self.life).await
    }

    fn signed_in<T>(self, app: &App, who: T) -> Result<SignedIn<T>, Problem> {
        let access_token = app.keyring.sign(self.session, app.clock.now())?;
        Ok(SignedIn { access_token, refresh_token: self.refresh, who })
    }
}

async fn keep_refresh(
    tx: &Tx,
    hash: &str,
    session: SessionId,
    now: entity::Instant,
    expires_at: entity::Instant,
) -> Result<(), Problem> {
    let row = refresh_token::ActiveModel {
        hash: Set(hash.to_owned()),
        session_id: Set(session),
        issued_at: Set(now),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    row.insert(tx).await?;
    Ok(())
}
