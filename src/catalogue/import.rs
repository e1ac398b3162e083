//! Reads `config/catalogue/*.json`: what is new or changed becomes a new version, what is the same stays as it is.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::Read,
};

use entity::{Instant, case::CaseKind, id::ServiceItemId, service_item};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;

use crate::{
    db::{Db, Tx},
    problem::Problem,
};

/// An item as the file has it. Fields of the file that the product does not use are passed over.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    item_code: String,
    name: String,
    kind: LineKind,
    handled_at: String,
    decided_at: String,
    department: String,
    materials: Vec<String>,
    statutory_days: Option<u16>,
    promised_days: Option<u16>,
    fee: String,
    audience: String,
    sichuan_item_code: Option<String>,
    source: String,
    provenance: BTreeMap<String, String>,
    estimated: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum LineKind {
    #[serde(rename = "民事代办", alias = "proxy")]
    Proxy,
    #[serde(rename = "民情代理", alias = "voice")]
    Voice,
}

#[derive(Deserialize)]
struct File {
    items: Vec<Line>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Items that were not there before.
    pub added: usize,
    /// Items that got another version.
    pub changed: usize,
    /// Items that are as they were.
    pub unchanged: usize,
}

/// Why a file was not taken. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// Not the JSON of a catalogue.
    #[error("{0}")]
    Unreadable(#[from] serde_json::Error),
    /// An item that cannot be used.
    #[error("item {code}: {reason}")]
    Item {
        /// Its code.
        code: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database.
    #[error("the database refused: {0}")]
    Database(String),
}

/// Imports a file. Items that the file does not name stay current.
pub async fn import(db: &Db, file: impl Read, now: Instant) -> Result<Imported, ImportFault> {
    let lines = parse(file)?;
    let written = db.transact(async move |tx| write(tx, &lines, now).await);
    written.await.map_err(|fault| ImportFault::Database(fault.source_text().unwrap_or("busy").to_owned()))
}

async fn write(tx: &Tx, lines: &[Line], now: Instant) -> Result<Imported, Problem> {
    let current = service_item::Entity::find().filter(service_item::COLUMN.current.eq(true)).all(tx).await?;
    let mut current: HashMap<String, service_item::Model> =
        current.into_iter().map(|row| (row.code.clone(), row)).collect();
    let mut done = Imported::default();
    let mut fresh = Vec::new();
    for line in lines {
        let old = current.remove(&line.item_code);
        let version = old.as_ref().map_or(1, |old| old.version + 1);
        let row = row(line, version, now);
        match old {
            Some(old) if same(&old, &row) => done.unchanged += 1,
            Some(old) => {
                let mut old = old.into_active_model();
                old.current = Set(false);
                old.update(tx).await?;
                fresh.push(row.into_active_model().reset_all());
                done.changed += 1;
            }
            None => {
                fresh.push(row.into_active_model().reset_all());
                done.added += 1;
            }
        }
    }
    if !fresh.is_empty() {
        service_item::Entity::insert_many(fresh).exec_without_returning(tx).await?;
    }
    Ok(done)
}

fn parse(file: impl Read) -> Result<Vec<Line>, ImportFault> {
    let file: File = serde_json::from_reader(file)?;
    let mut seen = HashSet::new();
    for line in &file.items {
        let fault = |reason| Err(ImportFault::Item { code: line.item_code.clone(), reason });
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if line.item_code.is_empty() || line.item_code.len() > 32 || !line.item_code.bytes().all(plain) {
            return fault("item_code must be 1 to 32 letters, digits and hyphens");
        }
        if line.name.trim().is_empty() {
            return fault("it has no name");
        }
        if !seen.insert(line.item_code.as_str()) {
            return fault("it stands there twice");
        }
    }
    Ok(file.items)
}

fn row(line: &Line, version: i32, now: Instant) -> service_item::Model {
    service_item::Model {
        id: ServiceItemId::fresh(),
        code: line.item_code.clone(),
        version,
        current: true,
        kind: match line.kind {
            LineKind::Proxy => CaseKind::Proxy,
            LineKind::Voice => CaseKind::Voice,
        },
        name: line.name.clone(),
        handled_at: line.handled_at.clone(),
        decided_at: line.decided_at.clone(),
        department: line.department.clone(),
        materials: json!(line.materials),
        statutory_days: line.statutory_days.map(i32::from),
        promised_days: line.promised_days.map(i32::from),
        fee: line.fee.clone(),
        audience: line.audience.clone(),
        sichuan_item_code: line.sichuan_item_code.clone(),
        source: line.source.clone(),
        provenance: json!(line.provenance),
        estimated: json!(line.estimated),
        note: line.note.clone(),
        published_at: now,
    }
}

/// Whether two versions say the same.
fn same(old: &service_item::Model, new: &service_item::Model) -> bool {
    let alike = service_item::Model {
        id: old.id,
        version: old.version,
        current: old.current,
        published_at: old.published_at,
        ..new.clone()
    };
    alike == *old
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const REAL: &[u8] = include_bytes!("../../config/catalogue/dazhou.json");

    #[test]
    fn the_real_file_reads() {
        let lines = parse(REAL).unwrap();
        assert_eq!(lines.len(), 60);
        assert_eq!(lines.iter().filter(|line| matches!(line.kind, LineKind::Voice)).count(), 7);
    }

    #[test]
    fn a_bad_item_is_named() {
        let mut file: serde_json::Value = serde_json::from_slice(REAL).unwrap();
        let first = file["items"][0].clone();
        file["items"].as_array_mut().unwrap().push(first);
        let told = parse(file.to_string().as_bytes()).unwrap_err().to_string();
        assert_eq!(told, "item DZ-MZ-01: it stands there twice");
    }

    #[test]
    fn only_what_the_item_says_makes_a_new_version() {
        let lines = parse(REAL).unwrap();
        let old = row(&lines[0], 1, DateTime::UNIX_EPOCH);
        let later = row(&lines[0], 2, DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
        assert!(same(&old, &later));
        assert!(!same(&old, &service_item::Model { fee: "500".into(), ..later }));
    }
}
