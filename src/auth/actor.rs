//! Actors: proofs of who is calling, made from a token and the rows behind it.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::Data,
};
use entity::{
    division::DivisionLevel,
    id::{DivisionId, PersonId, SessionId, StaffId, UnitId},
};
use uuid::Uuid;

use super::{
    duty::{Duty, Need},
    sessions::{self, Standing},
};
use crate::{
    app::App,
    http::RequestId,
    problem::{Code, Problem},
};

/// A signed-in villager.
#[derive(Clone, Debug)]
pub struct Villager {
    person: PersonId,
    session: SessionId,
    request: Arc<str>,
}

impl Villager {
    /// Who.
    #[must_use]
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Whose idempotency keys these are.
    #[must_use]
    pub fn caller(&self) -> Uuid {
        self.person.0
    }

    /// The session they are signed in by.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The id of the call, for the audit.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }
}

/// A posting that stands today.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Where the work is.
    pub unit: UnitId,
    /// The place whose subtree it covers.
    pub division: DivisionId,
    /// Its level.
    pub level: DivisionLevel,
    /// What may be done there.
    pub duties: Vec<Duty>,
}

impl Posted {
    /// Whether it carries any of these duties.
    #[must_use]
    pub fn any(&self, duties: &[Duty]) -> bool {
        duties.iter().any(|duty| self.duties.contains(duty))
    }
}

#[derive(Debug)]
struct StaffRow {
    id: StaffId,
    session: SessionId,
    name: String,
    postings: Vec<Posted>,
    /// Signed in with more than a password.
    second_factor: bool,
    demonstration: bool,
    request: Arc<str>,
}

impl StaffRow {
    /// Whoever reaches beyond one village must sign in with more than a password; demonstrations are spared.
    fn must_show_more(&self) -> bool {
        self.reaches_beyond_a_village() && !self.demonstration
    }

    fn reaches_beyond_a_village(&self) -> bool {
        self.postings.iter().any(|posting| posting.level != DivisionLevel::Village)
    }
}

/// Signed-in staff, whatever their duties and with or without a second factor: for what one does with one's own account.
#[derive(Clone, Debug)]
pub struct AnyStaff {
    row: Arc<StaffRow>,
}

impl AnyStaff {
    /// Who.
    #[must_use]
    pub fn id(&self) -> StaffId {
        self.row.id
    }

    /// The session they are signed in by.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.row.session
    }

    /// The id of the call, for the audit.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.row.request
    }

    /// Whether this session was opened with more than a password.
    #[must_use]
    pub fn second_factor(&self) -> bool {
        self.row.second_factor
    }

    /// Whether this account may do nothing else without a second factor.
    #[must_use]
    pub fn needs_second_factor(&self) -> bool {
        self.row.must_show_more()
    }
}

/// Signed-in staff whose postings satisfy the need `N` somewhere; *where* is for the query to say.
#[derive(Debug)]
pub struct Staff<N> {
    row: Arc<StaffRow>,
    need: PhantomData<fn() -> N>,
}

impl<N> Clone for Staff<N> {
    fn clone(&self) -> Self {
        Self { row: self.row.clone(), need: PhantomData }
    }
}

impl<N: Need> Staff<N> {
    /// Who.
    #[must_use]
    pub fn id(&self) -> StaffId {
        self.row.id
    }

    /// Whose idempotency keys these are.
    #[must_use]
    pub fn caller(&self) -> Uuid {
        self.row.id.0
    }

    /// Their name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// The id of the call, for the audit.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.row.request
    }

    /// Whether a posting at one of these places, whatever else it carries, has this duty.
    #[must_use]
    pub fn has(&self, duty: Duty, places: &[DivisionId]) -> bool {
        self.row.postings.iter().any(|posting| posting.any(&[duty]) && places.contains(&posting.division))
    }

    /// The same person as their session stands now: for answers that last longer than a call.
    ///
    /// # Errors
    /// `session_ended`, also of who was dismissed; `not_your_duty` when the duty has gone.
    pub async fn again(&self, app: &App) -> Result<Self, Problem> {
        match standing(app, self.row.session, self.row.request.clone()).await? {
            Caller::Staff(row) => Self::of(&row),
            Caller::Villager(_) => Err(Code::NotYourDuty.into()),
        }
    }

    fn of(row: &Arc<StaffRow>) -> Result<Self, Problem> {
        if row.must_show_more() && !row.second_factor {
            return Err(Code::SecondFactorRequired.into());
        }
        if row.postings.iter().any(|posting| posting.any(N::ANY_OF)) {
            Ok(Self { row: row.clone(), need: PhantomData })
        } else {
            Err(Code::NotYourDuty.into())
        }
    }

    /// Postings that satisfy the need.
    pub fn postings(&self) -> impl Iterator<Item = &Posted> {
        self.row.postings.iter().filter(|posting| posting.any(N::ANY_OF))
    }
}

#[derive(Clone)]
enum Caller {
    Villager(Villager),
    Staff(Arc<StaffRow>),
}

/// The middleware: verifies the token and reads the session, so that logout and dismissal bite at once.
///
/// A call without a token goes on as nobody; a bad token is 401 even where none is needed.
pub async fn authenticate(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(value) = req.headers().get(header::AUTHORIZATION) {
        let app = req.app_data::<Data<App>>().ok_or_else(|| Problem::unexpected("no application"))?.clone();
        let token = value.to_str().ok().and_then(bearer);
        let request = req.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| Arc::from(id.0.as_str()));
        let caller = caller(&app, token.ok_or(Problem::new(Code::SignInRequired))?, request).await?;
        req.extensions_mut().insert(caller);
    }
    next.call(req).await
}

/// The token of a `Bearer` header; the word in any case (RFC 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

async fn caller(app: &App, token: &str, request: Arc<str>) -> Result<Caller, Problem> {
    let id = app.keyring.verify(token, app.clock.now()).ok_or(Code::SignInRequired)?;
    standing(app, id, request).await
}

/// Who is signed in by a session.
async fn standing(app: &App, id: SessionId, request: Arc<str>) -> Result<Caller, Problem> {
    let rows = app.sessions.submit(id).await?;
    match rows.first() {
        Some(Standing { ended_at: None, person_id: Some(person), .. }) => {
            Ok(Caller::Villager(Villager { person: *person, session: id, request }))
        }
        Some(row @ Standing { ended_at: None, staff_id: Some(staff), name: Some(name), dismissed_at: None, .. }) => {
            let (staff, name) = (*staff, name.clone());
            let (second_factor, demonstration) = (row.second_factor, row.demonstration == Some(true));
            let postings = sessions::postings(app, rows)?;
            let row = StaffRow { id: staff, session: id, name, postings, second_factor, demonstration, request };
            Ok(Caller::Staff(Arc::new(row)))
        }
        _ => Err(Code::SessionEnded.into()),
    }
}

/// Takes the session's id from whoever is signed in.
pub(super) struct AnySession(pub(super) SessionId);

impl FromRequest for AnySession {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match req.extensions().get::<Caller>() {
            Some(Caller::Villager(villager)) => Ok(Self(villager.session)),
            Some(Caller::Staff(staff)) => Ok(Self(staff.session)),
            None => Err(Code::SignInRequired.into()),
        })
    }
}

impl FromRequest for Villager {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match req.extensions().get::<Caller>() {
            Some(Caller::Villager(villager)) => Ok(villager.clone()),
            Some(Caller::Staff(_)) => Err(Code::NotYourDuty.into()),
            None => Err(Code::SignInRequired.into()),
        })
    }
}

impl FromRequest for AnyStaff {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match req.extensions().get::<Caller>() {
            Some(Caller::Staff(row)) => Ok(Self { row: row.clone() }),
            Some(Caller::Villager(_)) => Err(Code::NotYourDuty.into()),
            None => Err(Code::SignInRequired.into()),
        })
    }
}

impl<N: Need> FromRequest for Staff<N> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match req.extensions().get::<Caller>() {
            Some(Caller::Staff(row)) => Self::of(row),
            Some(Caller::Villager(_)) => Err(Code::NotYourDuty.into()),
            None => Err(Code::SignInRequired.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_read_in_any_case_and_nothing_else_passes_for_it() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearerabc"), None);
    }
}
