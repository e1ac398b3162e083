//! What may be decided about postings, units and cover without a database.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{
    division::DivisionLevel,
    id::{DivisionId, UnitId},
    posting,
    unit::UnitKind,
};

use crate::{auth::Duty, problem::Problem};

/// Duties that only the county or above gives, and takes: who could give them to themselves would read what is said of
/// them, or what they did, or would send it elsewhere.
const RESERVED: &[Duty] = &[Duty::ReadAudit, Duty::HandleDiscipline, Duty::ManageAccounts, Duty::ManageReceivers];

/// Whether one of these duties is for the county or above to give.
pub fn reserved(duties: &[Duty]) -> bool {
    duties.iter().any(|duty| RESERVED.contains(duty))
}

/// Whether a place is a county or above.
pub fn is_county_or_above(level: DivisionLevel) -> bool {
    matches!(level, DivisionLevel::County | DivisionLevel::City)
}

/// Whether a unit of this kind belongs to a place of this level.
pub fn belongs(kind: UnitKind, level: DivisionLevel) -> bool {
    match kind {
        UnitKind::VillageDesk => level == DivisionLevel::Village,
        UnitKind::TownshipCentre => level == DivisionLevel::Township,
        UnitKind::DisciplineDesk | UnitKind::Department => level != DivisionLevel::Village,
        UnitKind::Grid => matches!(level, DivisionLevel::Village | DivisionLevel::Township),
        UnitKind::County => is_county_or_above(level),
    }
}

/// Whether a posting stands today or is to come.
pub fn is_current(posting: &posting::Model, today: NaiveDate) -> bool {
    posting.ends_on.is_none_or(|end| today <= end)
}

/// Whether a posting stands today.
pub fn stands(posting: &posting::Model, today: NaiveDate) -> bool {
    posting.starts_on <= today && is_current(posting, today)
}

/// The duties of a posting.
pub fn duties(posting: &posting::Model) -> Result<Vec<Duty>, Problem> {
    serde_json::from_value(posting.duties.clone()).map_err(Problem::unexpected)
}

/// Whether two lists hold the same duties.
pub fn same_duties(one: &[Duty], other: &[Duty]) -> bool {
    let set = |duties: &[Duty]| duties.iter().map(|duty| duty.slug()).collect::<BTreeSet<_>>();
    set(one) == set(other)
}

/// A posting as cover sees it.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where the work is.
    pub unit: UnitId,
    /// Its place and those above it.
    pub line: Vec<DivisionId>,
    /// Its place.
    pub division: DivisionId,
    /// What may be done.
    pub duties: Vec<Duty>,
}

/// Whether somebody may stand in for somebody: posted in the same unit, the same place or above it, with the duty to do
/// what the absent one does.
pub fn may_stand_in(absent: &[Post], other: &[Post]) -> bool {
    let work = [Duty::HandleCases, Duty::HandleDiscipline];
    let mut needed: Vec<Duty> = work.into_iter().filter(|duty| absent.iter().any(|post| post.carries(*duty))).collect();
    // Who works on no case leaves none; they are covered by anybody who could.
    let nothing = needed.is_empty();
    if nothing {
        needed.push(Duty::HandleCases);
    }
    needed.into_iter().all(|duty| {
        let theirs = absent.iter().filter(|post| nothing || post.carries(duty));
        theirs.into_iter().any(|post| other.iter().any(|seat| seat.carries(duty) && seat.reaches(post)))
    })
}

impl Post {
    fn carries(&self, duty: Duty) -> bool {
        self.duties.contains(&duty)
    }

    fn reaches(&self, other: &Self) -> bool {
        self.unit == other.unit || other.line.contains(&self.division)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(unit: UnitId, line: &[DivisionId], duties: &[Duty]) -> Post {
        Post { unit, line: line.to_vec(), division: line[0], duties: duties.to_vec() }
    }

    #[test]
    fn a_stand_in_is_near_enough_and_has_the_duty() {
        let (desk, centre, other) = (UnitId::fresh(), UnitId::fresh(), UnitId::fresh());
        let (village, town, neighbour) = (DivisionId::fresh(), DivisionId::fresh(), DivisionId::fresh());
        let handles = [Duty::HandleCases];
        let cadre = [post(desk, &[village, town], &handles)];
        assert!(may_stand_in(&cadre, &[post(desk, &[village, town], &handles)]));
        assert!(may_stand_in(&cadre, &[post(other, &[village, town], &handles)]), "same place");
        assert!(may_stand_in(&cadre, &[post(centre, &[town], &handles)]), "above");
        assert!(!may_stand_in(&cadre, &[post(other, &[neighbour, town], &handles)]), "beside");
        assert!(!may_stand_in(&cadre, &[post(desk, &[village, town], &[Duty::HostTalks])]), "no duty");
        assert!(!may_stand_in(&[post(centre, &[town], &handles)], &cadre), "below");
        let officer = [post(centre, &[town], &[Duty::HandleDiscipline])];
        assert!(!may_stand_in(&officer, &[post(centre, &[town], &handles)]));
        assert!(may_stand_in(&officer, &officer));
        let clerk = [post(desk, &[village, town], &[Duty::AcceptCases])];
        assert!(may_stand_in(&clerk, &cadre));
        assert!(!may_stand_in(&clerk, &clerk));
    }

    #[test]
    fn what_lets_one_read_of_oneself_is_for_the_county_to_give() {
        assert!(reserved(&[Duty::HandleCases, Duty::ManageAccounts]));
        assert!(!reserved(&[Duty::HandleCases, Duty::Supervise]));
        assert!(same_duties(&[Duty::HostTalks, Duty::HandleCases], &[Duty::HandleCases, Duty::HostTalks]));
        assert!(!same_duties(&[Duty::HostTalks], &[Duty::HandleCases]));
    }

    #[test]
    fn units_stand_where_they_belong() {
        assert!(belongs(UnitKind::VillageDesk, DivisionLevel::Village));
        assert!(!belongs(UnitKind::DisciplineDesk, DivisionLevel::Village));
        assert!(belongs(UnitKind::Department, DivisionLevel::County));
        assert!(!belongs(UnitKind::County, DivisionLevel::Township));
    }
}
