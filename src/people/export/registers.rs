//! What stands in a register: its columns, and its lines page by page.

use std::collections::{HashMap, HashSet};

use actix_web::web::Data;
use chrono::NaiveDate;
use entity::{
    authorisation::{self, EvidenceKind},
    division::DivisionLevel,
    id::{AuthorisationId, DivisionId, PersonId, RosterEntryId},
    person, roster_entry,
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use super::asked::{Register, Wish};
use crate::{
    app::App,
    clock::{Instant, local_day},
    crypto::FieldKeys,
    db::padded,
    people::{find, place},
    personal::{CitizenNumber, PersonName, Personal, PhoneNumber, PrivateText},
    problem::Problem,
    sheets::{Cells, Pages},
};

/// Lines that are read at once.
const PAGE: u64 = 1000;

/// The lines of a register, a page at a time.
pub(super) struct RegisterPages {
    app: Data<App>,
    wish: Wish,
    today: NaiveDate,
    /// The last line's key, in the register's own kind of key.
    after: Option<uuid::Uuid>,
    ended: bool,
}

/// A page and the key of its last line.
type Page = (Vec<Cells>, Option<uuid::Uuid>);

impl Pages for RegisterPages {
    /// Those of a roster are what an import reads.
    fn headings(&self) -> Cells {
        let columns: &[&str] = match self.wish.register {
            Register::People => {
                &["name", "phone", "citizen_no", "verified", "village", "household_no", "group", "registered_on"]
            }
            Register::Roster => &["name", "citizen_no", "household_no", "group", "phone", "note", "village"],
            Register::Authorisations => {
                &["principal", "agent", "scope", "until", "evidence", "recorded_on", "revoked_on", "village"]
            }
        };
        // A village's own roster leaves in the shape in which it came.
        let of_one_village = self.wish.register == Register::Roster && self.wish.place.level == DivisionLevel::Village;
        let shown = columns.iter().filter(|column| !(of_one_village && **column == "village"));
        shown.map(|column| self.word("column", column)).collect()
    }

    async fn next(&mut self) -> Result<Option<Vec<Cells>>, Problem> {
        if self.ended {
            return Ok(None);
        }
        let (lines, last) = match self.wish.register {
            Register::People => self.people().await?,
            Register::Roster => self.roster().await?,
            Register::Authorisations => self.authorisations().await?,
        };
        self.ended = u64::try_from(lines.len()).unwrap_or(u64::MAX) < PAGE;
        self.after = last;
        Ok((!lines.is_empty()).then_some(lines))
    }
}

impl RegisterPages {
    pub(super) fn of(app: Data<App>, wish: Wish) -> Self {
        let today = local_day(app.clock.now());
        Self { app, wish, today, after: None, ended: false }
    }

    fn keys(&self) -> &FieldKeys {
        &self.app.field_keys
    }

    fn word(&self, kind: &str, code: &str) -> String {
        t!(format!("register.{kind}.{code}"), locale = self.wish.language.tag()).into_owned()
    }

    async fn people(&self) -> Result<Page, Problem> {
        let db = self.app.db.read();
        let rows = find::people(db, &self.wish.place, None, self.after.map(PersonId), PAGE).await?;
        let households = find::household_numbers(db, &rows).await?;
        let villages = find::village_names(db, rows.iter().filter_map(|row| row.village_id).collect()).await?;
        let last = rows.last().map(|row| row.id.0);
        let line = |row: person::Model| {
            let number: Option<CitizenNumber> = self.keys().open_if(row.citizen_no.as_ref())?;
            let clear = self.wish.shows(number.as_ref(), self.today);
            Ok(vec![
                shown(self.keys().open_if::<PersonName>(row.name.as_ref())?.as_ref(), clear),
                shown(self.keys().open_if::<PhoneNumber>(row.phone.as_ref())?.as_ref(), clear),
                shown(number.as_ref(), clear),
                self.word("value", if row.verified { "yes" } else { "no" }),
                row.village_id.map_or_else(String::new, |id| named(&villages, id)),
                row.household_id.and_then(|id| households.get(&id).cloned()).unwrap_or_default(),
                row.group_name.unwrap_or_default(),
                day(row.created_at),
            ])
        };
        Ok((rows.into_iter().map(line).collect::<Result<_, Problem>>()?, last))
    }

    async fn roster(&self) -> Result<Page, Problem> {
        let db = self.app.db.read();
        let rows = find::entries(db, &self.wish.place, None, self.after.map(RosterEntryId), PAGE).await?;
        let villages = find::village_names(db, rows.iter().map(|row| row.village_id).collect()).await?;
        let last = rows.last().map(|row| row.id.0);
        let line = |row: roster_entry::Model| {
            let number: CitizenNumber = self.keys().open(&row.citizen_no)?;
            let clear = self.wish.shows(Some(&number), self.today);
            let mut cells = vec![
                shown(Some(&self.keys().open::<PersonName>(&row.name)?), clear),
                shown(Some(&number), clear),
                row.household_no.unwrap_or_default(),
                row.group_name.unwrap_or_default(),
                shown(self.keys().open_if::<PhoneNumber>(row.phone.as_ref())?.as_ref(), clear),
                shown(self.keys().open_if::<PrivateText>(row.note.as_ref())?.as_ref(), clear),
            ];
            if self.wish.place.level != DivisionLevel::Village {
                cells.push(named(&villages, row.village_id));
            }
            Ok(cells)
        };
        Ok((rows.into_iter().map(line).collect::<Result<_, Problem>>()?, last))
    }

    /// Those whose principal belongs to the place.
    async fn authorisations(&self) -> Result<Page, Problem> {
        let db = self.app.db.read();
        let principal: RelationDef = authorisation::Entity::belongs_to(person::Entity)
            .from(authorisation::Column::PrincipalId)
            .to(person::Column::Id)
            .into();
        let mut query = authorisation::Entity::find()
            .join(JoinType::InnerJoin, principal)
            .filter(place::within(person::Column::VillageId, &self.wish.place))
            .filter(person::Column::ClosedAt.is_null());
        if let Some(after) = self.after {
            query = query.filter(authorisation::COLUMN.id.gt(AuthorisationId(after)));
        }
        let rows = query.order_by_asc(authorisation::Column::Id).limit(PAGE).all(db).await?;
        let known = self.parties(&rows).await?;
        let villages = find::village_names(db, known.values().filter_map(|row| row.village_id).collect()).await?;
        let last = rows.last().map(|row| row.id.0);
        let lines =
            rows.iter().map(|row| self.authorisation(row, &known, &villages)).collect::<Result<_, Problem>>()?;
        Ok((lines, last))
    }

    /// Principals and agents of these authorisations.
    async fn parties(&self, rows: &[authorisation::Model]) -> Result<HashMap<PersonId, person::Model>, Problem> {
        let ids: HashSet<PersonId> =
            rows.iter().flat_map(|row| [Some(row.principal_id), row.agent_id]).flatten().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(ids)));
        Ok(people.all(self.app.db.read()).await?.into_iter().map(|row| (row.id, row)).collect())
    }

    fn authorisation(
        &self,
        row: &authorisation::Model,
        known: &HashMap<PersonId, person::Model>,
        villages: &HashMap<DivisionId, String>,
    ) -> Result<Cells, Problem> {
        let name = |person: Option<&person::Model>| {
            let Some(person) = person else { return Ok(String::new()) };
            let number: Option<CitizenNumber> = self.keys().open_if(person.citizen_no.as_ref())?;
            let name: Option<PersonName> = self.keys().open_if(person.name.as_ref())?;
            Ok::<_, Problem>(shown(name.as_ref(), self.wish.shows(number.as_ref(), self.today)))
        };
        let principal = known.get(&row.principal_id);
        let mut agent = name(row.agent_id.and_then(|id| known.get(&id)))?;
        if agent.is_empty() {
            agent = shown(self.keys().open_if::<PersonName>(row.agent_name.as_ref())?.as_ref(), self.wish.clear);
        }
        let scope = row.scope.as_array().map(Vec::as_slice).unwrap_or_default();
        let evidence = match row.evidence_kind {
            EvidenceKind::InPerson => "in_person",
            EvidenceKind::Paper => "paper",
            EvidenceKind::Voice => "voice",
        };
        Ok(vec![
            name(principal)?,
            agent,
            scope.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" "),
            row.until.to_string(),
            self.word("evidence", evidence),
            day(row.created_at),
            row.revoked_at.map(day).unwrap_or_default(),
            principal.and_then(|person| person.village_id).map_or_else(String::new, |id| named(villages, id)),
        ])
    }
}

fn shown<T: Personal>(value: Option<&T>, clear: bool) -> String {
    match value {
        None => String::new(),
        // Asked for with a reason, which the audit has.
        Some(value) if clear => value.in_the_clear().to_owned(),
        Some(value) => value.masked(),
    }
}

fn named(villages: &HashMap<DivisionId, String>, id: DivisionId) -> String {
    villages.get(&id).cloned().unwrap_or_default()
}

fn day(at: Instant) -> String {
    local_day(at).to_string()
}
