//! What a version asks of whoever files: answers to its form, papers. Compiled once, kept in memory: a version never
//! changes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, RwLock},
};

use entity::{id::ServiceItemId, service_item};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value};

use super::{
    form::{Form, oversize},
    item::CatalogueItem,
    material::Material,
};
use crate::{
    clock::Clock,
    db::padded,
    problem::{FieldFault, Problem},
};

/// Versions that are kept at once.
const MOST: usize = 512;

/// What a version asks for.
#[derive(Debug)]
pub struct Requirements {
    form: Option<Form>,
    /// Its papers.
    pub materials: Vec<Material>,
}

impl Requirements {
    fn of(row: &service_item::Model, clock: &Clock) -> Result<Self, Problem> {
        let item = CatalogueItem::of(row)?;
        let form = item.form.as_ref().map(|schema| Form::compile(schema, clock)).transpose();
        let form = form.map_err(|_| Problem::unexpected(format!("{} {} has no sound form", row.code, row.version)))?;
        Ok(Self { form, materials: item.materials })
    }

    /// What is wrong with the answers to its form, with pointers below `/form`; without a form there is nothing to answer.
    #[must_use]
    pub fn form_faults(&self, answers: Option<&Map<String, Value>>) -> Vec<FieldFault> {
        if let Some(fault) = answers.and_then(form_fault) {
            return vec![fault];
        }
        match (&self.form, answers) {
            (None, None) => vec![],
            (None, Some(answers)) if answers.is_empty() => vec![],
            (None, Some(_)) => vec![FieldFault::new("/form", "not_allowed_here")],
            (Some(form), answers) => form.faults(&Value::Object(answers.cloned().unwrap_or_default()), "/form"),
        }
    }

    /// One of its papers.
    #[must_use]
    pub fn material(&self, code: &str) -> Option<&Material> {
        self.materials.iter().find(|material| material.code == code)
    }
}

/// Whether answers are larger or deeper than anybody fills in: asked of every form, also where no schema is.
#[must_use]
pub fn form_fault(answers: &Map<String, Value>) -> Option<FieldFault> {
    oversize(answers, "/form")
}

/// What versions ask for, by version.
#[derive(Debug)]
pub struct RequirementsOfItems {
    clock: Clock,
    known: RwLock<HashMap<ServiceItemId, Arc<Requirements>>>,
}

impl RequirementsOfItems {
    /// Empty. Numbers of people who are not born yet are told by the clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, known: RwLock::default() }
    }

    /// Of these versions; those not seen before are read in one go. What is no version is left out.
    pub async fn of(
        &self,
        db: &impl ConnectionTrait,
        ids: impl Iterator<Item = ServiceItemId>,
    ) -> Result<HashMap<ServiceItemId, Arc<Requirements>>, Problem> {
        let (mut found, mut unseen) = (HashMap::new(), BTreeSet::new());
        if let Ok(known) = self.known.read() {
            for id in ids {
                match known.get(&id) {
                    Some(kept) => drop(found.insert(id, Arc::clone(kept))),
                    None => drop(unseen.insert(id)),
                }
            }
        }
        if unseen.is_empty() {
            return Ok(found);
        }
        let rows = service_item::Entity::find().filter(service_item::COLUMN.id.is_in(padded(unseen))).all(db).await?;
        for row in rows {
            let made = Arc::new(Requirements::of(&row, &self.clock)?);
            found.insert(row.id, Arc::clone(&made));
            if let Ok(mut known) = self.known.write() {
                while known.len() >= MOST {
                    let Some(some) = known.keys().next().copied() else { break };
                    known.remove(&some);
                }
                known.insert(row.id, made);
            }
        }
        Ok(found)
    }

    /// Of one version.
    pub async fn one(&self, db: &impl ConnectionTrait, id: ServiceItemId) -> Result<Arc<Requirements>, Problem> {
        let mut found = self.of(db, std::iter::once(id)).await?;
        found.remove(&id).ok_or_else(|| Problem::unexpected(format!("no version {id}")))
    }
}
