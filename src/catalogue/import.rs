//! A whole catalogue comes in: what is new or changed becomes a new version, what is the same stays as it is.
//!
//! A file is read to its end before anything is written: every bad item is told by its place, and then nothing is taken.
//! What the export gives, the import takes and changes nothing.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    io::Read,
};

use entity::{Instant, id::StaffId, service_item};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    item::CatalogueItem,
    rules,
    versions::{row_of_file, supersede, unknown_others},
};
use crate::{
    clock::Clock,
    db::{Db, Tx, insert_all},
    http,
    problem::{Code, FieldFault, Language, OnUnique, Problem},
};

/// Bytes of the largest file.
pub const MAX_FILE: usize = 4 * 1024 * 1024;
/// Items of one file.
const MOST_ITEMS: usize = 5000;
/// Faults that are told at once; who has mended these asks again.
const MOST_FAULTS: usize = 200;

/// A catalogue as a file.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct CatalogueFile {
    /// At most 5,000. What stands beside them, such as a list of sources, is passed over.
    #[schema(max_items = 5000)]
    pub items: Vec<CatalogueItem>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Items that were not there before.
    pub added: usize,
    /// Items that got another version.
    pub changed: usize,
    /// Items that are as they were.
    pub unchanged: usize,
    /// The added and the changed ones, in the order of the file.
    pub items: Vec<ImportedItem>,
}

/// An item that got a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportedItem {
    /// Its code.
    pub code: String,
    /// Its new version; 1: it was not there before.
    pub version: i32,
}

/// Why a file was not taken. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// Not JSON, or too much of it.
    #[error("{0}")]
    Unreadable(String),
    /// Items that cannot be used.
    #[error("{}", InLines(.0))]
    Items(Vec<FieldFault>),
    /// The database.
    #[error("the database refused: {0}")]
    Database(String),
}

/// One line a fault.
struct InLines<'a>(&'a [FieldFault]);

impl fmt::Display for InLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was taken; {} things are wrong", self.0.len())?;
        for fault in self.0 {
            write!(f, "\n{}: {} [{}]", fault.pointer, fault.in_words(Language::En), fault.code)?;
        }
        Ok(())
    }
}

impl From<ImportFault> for Problem {
    fn from(fault: ImportFault) -> Self {
        match fault {
            ImportFault::Unreadable(_) => Code::Malformed.into(),
            ImportFault::Items(faults) => Self::invalid(faults),
            ImportFault::Database(text) => Self::unexpected(text),
        }
    }
}

impl From<Problem> for ImportFault {
    fn from(problem: Problem) -> Self {
        match problem.faults() {
            [] => Self::Database(problem.source_text().unwrap_or(problem.code().slug()).to_owned()),
            faults => Self::Items(faults.to_vec()),
        }
    }
}

/// Imports a file for the operator. Items that the file does not name stay current.
pub async fn import(db: &Db, mut file: impl Read, clock: Clock) -> Result<ImportReport, ImportFault> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    file.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(|fault| ImportFault::Unreadable(fault.to_string()))?;
    if bytes.len() > MAX_FILE {
        return Err(ImportFault::Unreadable("larger than 4 MB".to_owned()));
    }
    let items = read(&bytes, &clock)?;
    let now = clock.now();
    Ok(db.transact(async move |tx| write(tx, &items, None, now).await).await?)
}

/// The items of a file, when all of them may be published.
///
/// # Errors
/// Every fault by its place, at most 200.
pub(super) fn read(bytes: &[u8], clock: &Clock) -> Result<Vec<CatalogueItem>, ImportFault> {
    let file: Value = serde_json::from_slice(bytes).map_err(|fault| ImportFault::Unreadable(fault.to_string()))?;
    let one = |pointer: &str, code: &str| ImportFault::Items(vec![FieldFault::new(pointer, code)]);
    let Value::Object(mut members) = http::tidy(file).map_err(|fault| ImportFault::Items(vec![fault]))? else {
        return Err(one("", "type"));
    };
    let lines = match members.remove("items") {
        Some(Value::Array(lines)) if lines.len() > MOST_ITEMS => return Err(one("/items", "too_many")),
        Some(Value::Array(lines)) => lines,
        Some(_) => return Err(one("/items", "type")),
        None => return Err(one("/items", "required")),
    };
    let (mut items, mut faults, mut seen) = (Vec::with_capacity(lines.len()), Vec::new(), BTreeSet::new());
    for (nth, line) in lines.into_iter().enumerate() {
        let at = format!("/items/{nth}");
        match http::part::<CatalogueItem>(line, &at) {
            Err(fault) => faults.push(fault),
            Ok(item) => {
                let item = item.tidied();
                faults.extend(rules::check(&item, &at, clock));
                if !seen.insert(item.item_code.clone()) {
                    faults.push(FieldFault::new(format!("{at}/item_code"), "duplicate"));
                }
                items.push(item);
            }
        }
        if faults.len() >= MOST_FAULTS {
            break;
        }
    }
    faults.truncate(MOST_FAULTS);
    if faults.is_empty() { Ok(items) } else { Err(ImportFault::Items(faults)) }
}

/// What is to be done with the items of a file.
struct Plan<'a> {
    fresh: Vec<(&'a CatalogueItem, Option<service_item::Model>)>,
    unchanged: usize,
}

impl Plan<'_> {
    fn report(&self, dry_run: bool) -> ImportReport {
        let version = |old: &Option<service_item::Model>| old.as_ref().map_or(1, |old| old.version + 1);
        let items = self.fresh.iter();
        let items = items.map(|(item, old)| ImportedItem { code: item.item_code.clone(), version: version(old) });
        ImportReport {
            dry_run,
            added: self.fresh.iter().filter(|(_, old)| old.is_none()).count(),
            changed: self.fresh.iter().filter(|(_, old)| old.is_some()).count(),
            unchanged: self.unchanged,
            items: items.collect(),
        }
    }
}

async fn plan<'a>(db: &impl ConnectionTrait, items: &'a [CatalogueItem]) -> Result<Plan<'a>, Problem> {
    let placed: Vec<(&CatalogueItem, String)> =
        items.iter().enumerate().map(|(nth, item)| (item, format!("/items/{nth}"))).collect();
    let unknown = unknown_others(db, &placed).await?;
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown));
    }
    let current = service_item::Entity::find().filter(service_item::COLUMN.current.eq(true)).all(db).await?;
    let mut current: HashMap<String, service_item::Model> =
        current.into_iter().map(|row| (row.code.clone(), row)).collect();
    let mut plan = Plan { fresh: Vec::new(), unchanged: 0 };
    for item in items {
        let old = current.remove(&item.item_code);
        // What was retired and stands in the file is offered again.
        let same = match &old {
            Some(old) => old.retired_at.is_none() && CatalogueItem::of(old)? == *item,
            None => false,
        };
        if same {
            plan.unchanged += 1;
        } else {
            plan.fresh.push((item, old));
        }
    }
    Ok(plan)
}

/// What an import would do.
pub(super) async fn rehearse(db: &impl ConnectionTrait, items: &[CatalogueItem]) -> Result<ImportReport, Problem> {
    Ok(plan(db, items).await?.report(true))
}

/// Carries an import out.
pub(super) async fn write(
    tx: &Tx,
    items: &[CatalogueItem],
    by: Option<StaffId>,
    now: Instant,
) -> Result<ImportReport, Problem> {
    let plan = plan(tx, items).await?;
    let report = plan.report(false);
    let mut rows = Vec::with_capacity(plan.fresh.len());
    for (item, old) in plan.fresh {
        let version = old.as_ref().map_or(1, |old| old.version + 1);
        if let Some(old) = &old {
            supersede(tx, old).await?;
        }
        rows.push(row_of_file(item, version, by, now));
    }
    insert_all(tx, rows).await.on_unique(Code::Stale)?;
    Ok(report)
}

#[cfg(test)]
pub(in crate::catalogue) mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    /// The catalogue that the program carries.
    const REAL: &[u8] = include_bytes!("../../config/catalogue/dazhou.json");

    fn clock() -> Clock {
        Clock::standing_at(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_780))
    }

    /// Its items.
    pub(in crate::catalogue) fn real() -> Vec<CatalogueItem> {
        read(REAL, &clock()).unwrap()
    }

    fn told(file: &Value) -> Vec<(String, String)> {
        match read(file.to_string().as_bytes(), &clock()) {
            Err(ImportFault::Items(faults)) => faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_real_file_reads_and_stays_what_it_is() {
        let items = real();
        assert_eq!(items.len(), 60);
        assert_eq!(items.iter().filter(|item| item.kind == crate::catalogue::item::ItemKind::Voice).count(), 7);
        let again = serde_json::to_vec(&CatalogueFile { items: items.clone() }).unwrap();
        assert_eq!(read(&again, &clock()).unwrap(), items);
        for item in &items {
            assert_eq!(CatalogueItem::of(&item.row(1, DateTime::UNIX_EPOCH)).unwrap(), *item);
        }
    }

    #[test]
    fn every_bad_item_is_told_by_its_place() {
        let mut file: Value = serde_json::from_slice(REAL).unwrap();
        let first = file["items"][0].clone();
        file["items"].as_array_mut().unwrap().push(first);
        file["items"][1]["promised_days"] = json!("soon");
        file["items"][2]["promised_day"] = json!(3);
        file["items"][3]["name"] = json!("");
        let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        assert_eq!(
            told(&file),
            [
                pair("/items/1/promised_days", "type"),
                pair("/items/2/promised_day", "unknown_field"),
                pair("/items/3/name", "empty"),
                pair("/items/60/item_code", "duplicate"),
            ]
        );
        assert_eq!(told(&json!([])), [pair("", "type")]);
        assert_eq!(told(&json!({})), [pair("/items", "required")]);
        assert_eq!(told(&json!({"items": {}})), [pair("/items", "type")]);
        assert!(matches!(read(b"{", &clock()), Err(ImportFault::Unreadable(_))));
    }
}
