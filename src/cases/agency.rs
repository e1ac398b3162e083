//! Whose case it is to the caller: their own, or one that somebody let them work on.

use chrono::NaiveDate;
use entity::{
    case,
    id::{CaseId, PersonId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use super::{advance::By, scope};
use crate::{
    auth::Villager,
    people::{self, Grant},
    problem::Problem,
};

/// A case, and the authorisation by which somebody else than its person sees it.
pub struct Reach {
    /// The case.
    pub case: case::Model,
    /// None: it is the caller's own.
    pub grant: Option<Grant>,
}

impl Reach {
    /// Who acts, as the step table sees them.
    #[must_use]
    pub fn by(&self, me: &Villager) -> By {
        match &self.grant {
            None => By::villager(me.person()),
            Some(_) => By::agent(me.person()),
        }
    }
}

/// The case, when it is the caller's own or a living authorisation opens it; else 404.
pub async fn reach(db: &impl ConnectionTrait, me: &Villager, id: CaseId, today: NaiveDate) -> Result<Reach, Problem> {
    if let Some(case) = scope::of_villager(me).filter(case::COLUMN.id.eq(id)).one(db).await? {
        return Ok(Reach { case, grant: None });
    }
    for grant in people::grants(db, me, today).await? {
        let opened = case::Entity::find_by_id(id).filter(grant.cases(me.person())).one(db).await?;
        if let Some(case) = opened {
            return Ok(Reach { case, grant: Some(grant) });
        }
    }
    Err(Problem::not_found())
}

/// The cases of a principal that the caller's authorisations open.
///
/// # Errors
/// `no_authorisation`.
pub async fn of_principal(
    db: &impl ConnectionTrait,
    me: &Villager,
    principal: PersonId,
    today: NaiveDate,
) -> Result<Select<case::Entity>, Problem> {
    let grants = people::grants(db, me, today).await?;
    let theirs: Vec<&Grant> = grants.iter().filter(|grant| grant.principal == principal).collect();
    if theirs.is_empty() {
        return Err(crate::problem::Code::NoAuthorisation.into());
    }
    let opened = theirs.iter().fold(sea_orm::Condition::any(), |any, grant| any.add(grant.cases(me.person())));
    Ok(case::Entity::find().filter(opened))
}
