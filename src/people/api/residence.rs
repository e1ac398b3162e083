//! `/me/residence`, `/me/household`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data};
use chrono::NaiveDate;
use entity::id::{DivisionId, ResidenceClaimId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    http::{Command, json},
    people::ops::{
        household, me,
        residence::{self, Outcome, Said},
    },
    personal::{CitizenNumber, PersonName},
    problem::Problem,
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(claim_residence).service(get_household);
}

/// Where somebody lives, as their identity card says.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimResidence {
    /// Division id of a village.
    village: DivisionId,
    /// As on the card.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// 18 characters (GB 11643).
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40, pattern = r"^[1-9][0-9]{16}[0-9Xx]$")]
    citizen_no: String,
}

impl ClaimResidence {
    fn read(&self, today: NaiveDate) -> Result<(PersonName, CitizenNumber), Problem> {
        let name = PersonName::read(&self.name).ok_or_else(|| Problem::field("/name", "format"))?;
        let number = CitizenNumber::read(&self.citizen_no, today);
        Ok((name, number.map_err(|fault| Problem::field("/citizen_no", fault.slug()))?))
    }
}

/// How far it is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResidenceState {
    /// The roster agrees.
    Verified,
    /// The desk will look.
    Pending,
}

/// What came of a claim.
#[derive(Serialize, ToSchema)]
pub struct ResidenceView {
    state: ResidenceState,
    /// The village, which may be the one that took in the one that was named.
    village: DivisionId,
    /// Of a pending claim.
    claim: Option<ResidenceClaimId>,
}

/// Says where one lives: verified at once when the village's roster agrees, else the desk looks at the card.
#[utoipa::path(tag = "me", request_body = ClaimResidence, responses((status = 200, body = ResidenceView)))]
#[post("/me/residence")]
pub async fn claim_residence(
    app: Data<App>,
    me: Villager,
    command: Command<ClaimResidence>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = command.answered_before(&app, me.caller()).await? {
        return Ok(answer);
    }
    let (shared, caller, now, who) = (app.clone().into_inner(), me.caller(), app.clock.now(), me.clone());
    // A slip of the finger tells nothing and is not counted.
    let (name, citizen_no) = command.body.read(local_day(now))?;
    app.db.transact(async move |tx| residence::count_claim(tx, &who, now).await).await?;
    let claim = async move |tx: &Tx, body: &ClaimResidence| {
        let village = residence::village(tx, body.village).await?.id;
        let said = Said { name: name.clone(), citizen_no: citizen_no.clone(), village };
        Ok(match residence::claim(tx, &shared, &me, &said, now).await? {
            Outcome::Verified => ResidenceView { state: ResidenceState::Verified, village: said.village, claim: None },
            Outcome::Pending(claim) => {
                ResidenceView { state: ResidenceState::Pending, village: said.village, claim: Some(claim) }
            }
        })
    };
    command.once(&app, caller, StatusCode::OK, claim).await
}

/// One's household.
#[derive(Serialize, ToSchema)]
pub struct HouseholdView {
    /// 户号
    number: String,
    village: DivisionId,
    members: Vec<HouseholdMember>,
}

/// Somebody of it.
#[derive(Serialize, ToSchema)]
pub struct HouseholdMember {
    /// Masked, e.g. 张*三.
    name: Option<PersonName>,
    /// Whether it is the caller.
    me: bool,
}

/// One's household, as the roster has it; 404 while residence is not verified.
#[utoipa::path(tag = "me", responses((status = 200, body = HouseholdView)))]
#[get("/me/household")]
pub async fn get_household(app: Data<App>, me: Villager) -> Result<HttpResponse, Problem> {
    let own = me::find(app.db.read(), &me).await?;
    let household = own.household_id.filter(|_| own.verified).ok_or_else(Problem::not_found)?;
    let (household, people) = household::members(app.db.read(), household).await?.ok_or_else(Problem::not_found)?;
    let members = people
        .iter()
        .map(|row| Ok(HouseholdMember { name: app.field_keys.open_if(row.name.as_ref())?, me: row.id == own.id }));
    json(&HouseholdView {
        number: household.number,
        village: household.village_id,
        members: members.collect::<Result<_, Problem>>()?,
    })
}
