//! Names of item versions, kept in memory: a version never changes, and nearly every view of a case shows one.

use std::{collections::HashMap, sync::RwLock};

use entity::{id::ServiceItemId, service_item};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::problem::Problem;

/// What a version is called.
#[derive(Clone, Debug)]
pub struct ItemName {
    /// Ours.
    pub code: String,
    /// As people know it.
    pub name: String,
    /// Which version.
    pub version: i32,
}

/// Names by version. Grows with the catalogue, not with the cases.
#[derive(Default)]
pub struct ItemNames(RwLock<HashMap<ServiceItemId, ItemName>>);

impl ItemNames {
    /// The name of each of these versions; those not seen before are read in one go.
    pub async fn of(
        &self,
        db: &impl ConnectionTrait,
        ids: impl Iterator<Item = ServiceItemId>,
    ) -> Result<HashMap<ServiceItemId, ItemName>, Problem> {
        let (mut found, mut unseen) = (HashMap::new(), Vec::new());
        if let Ok(kept) = self.0.read() {
            for id in ids {
                match kept.get(&id) {
                    Some(names) => drop(found.insert(id, names.clone())),
                    None => unseen.push(id),
                }
            }
        }
        if unseen.is_empty() {
            return Ok(found);
        }
        let rows = service_item::Entity::find().filter(service_item::COLUMN.id.is_in(unseen)).all(db).await?;
        if let Ok(mut kept) = self.0.write() {
            for row in rows {
                let name = ItemName { code: row.code, name: row.name, version: row.version };
                kept.insert(row.id, name.clone());
                found.insert(row.id, name);
            }
        }
        Ok(found)
    }
}
