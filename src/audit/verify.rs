//! Proving the chain: every hash is made again, and the first row that does not fit is named.

use std::fmt;

use entity::{audit_entry, audit_head};
use sea_orm::{DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    chain::hash,
    keep::{self, CUT},
};
use crate::{crypto::FieldKeys, problem::Problem};

/// Entries a page.
const PAGE: u64 = 1000;

/// What was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The first entry looked at; 0 when there is none.
    pub from: i64,
    /// The last.
    pub to: i64,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Its content or hash is not what was written.
    Changed(i64),
    /// It is not there, and later ones are.
    Missing(i64),
    /// Entries before it are gone, and none tells that they were let go.
    FrontCut(i64),
    /// The head names an entry that is not there.
    EndCut {
        /// What the head says.
        head: i64,
        /// The last that is there.
        last: i64,
    },
    /// Rows that the head does not know.
    Beyond {
        /// What the head says.
        head: i64,
        /// The last that is there.
        last: i64,
    },
    /// The head was changed or removed.
    Head,
    /// There is no such entry to begin with.
    NoSuchStart(i64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(f, "entry {seq} was changed"),
            Self::Missing(seq) => write!(f, "entry {seq} is missing"),
            Self::FrontCut(first) => write!(
                f,
                "the front was cut: the chain begins with entry {first}, and no entry says that those before it were let go"
            ),
            Self::EndCut { head, last } => {
                write!(f, "the end was cut: the head says {head}, the last entry is {last}")
            }
            Self::Beyond { head, last } => {
                write!(f, "entries were slipped in at the end: the head says {head}, the last entry is {last}")
            }
            Self::Head => f.write_str("the head was changed: it does not carry the hash of the last entry"),
            Self::NoSuchStart(seq) => write!(f, "there is no entry {seq} to begin with"),
        }
    }
}

/// Walks the chain from `from` (left out: from its beginning) to its end.
///
/// With `from` the hash of the entry before it is taken as it stands.
pub async fn verify(
    db: &DatabaseConnection,
    keys: &FieldKeys,
    from: Option<i64>,
) -> Result<Result<Proved, Broken>, Problem> {
    let (mut at, mut before) = match start(db, from).await? {
        Ok(start) => start,
        Err(broken) => return Ok(Err(broken)),
    };
    let first = at + 1;
    loop {
        let rows = page(db, at).await?;
        let Some(last) = rows.last() else { break };
        let last = last.seq;
        if let Some(broken) = walk(keys, &mut before, at, &rows)? {
            return Ok(Err(broken));
        }
        at = last;
    }
    let end = audit_head::Entity::find_by_id(1).one(db).await?;
    // What was added since the last page was read is proved the next time.
    let later = audit_entry::Entity::find_by_id(at + 1).one(db).await?.is_some();
    Ok(match end {
        Some(head) if head.seq == at && head.hash != before => Err(Broken::Head),
        Some(head) if head.seq > at && !later => Err(Broken::EndCut { head: head.seq, last: at }),
        Some(head) if head.seq < at => Err(Broken::Beyond { head: head.seq, last: at }),
        Some(_) => Ok(Proved { from: if at < first { 0 } else { first }, to: at }),
        None => Err(Broken::Head),
    })
}

/// The entries near the end: what a quick look proves.
pub async fn verify_last(
    db: &DatabaseConnection,
    keys: &FieldKeys,
    count: i64,
) -> Result<Result<Proved, Broken>, Problem> {
    let head = audit_head::Entity::find_by_id(1).one(db).await?.map_or(0, |head| head.seq);
    let oldest = first(db).await?.map_or(0, |row| row.seq);
    verify(db, keys, Some(head - count + 1).filter(|from| *from > oldest)).await
}

fn walk(
    keys: &FieldKeys,
    before: &mut String,
    at: i64,
    rows: &[audit_entry::Model],
) -> Result<Option<Broken>, Problem> {
    for (row, expected) in rows.iter().zip(at + 1..) {
        if row.seq != expected {
            return Ok(Some(Broken::Missing(expected)));
        }
        if hash(keys, before, row)? != row.hash {
            return Ok(Some(Broken::Changed(row.seq)));
        }
        row.hash.clone_into(before);
    }
    Ok(None)
}

/// Where the walk begins: the number and the hash of the entry before the first one to prove.
async fn start(db: &DatabaseConnection, from: Option<i64>) -> Result<Result<(i64, String), Broken>, Problem> {
    let Some(first) = first(db).await? else { return Ok(Ok((0, String::new()))) };
    if let Some(from) = from.filter(|from| *from > first.seq) {
        let before = audit_entry::Entity::find_by_id(from - 1).one(db).await?;
        let start = before.map(|row| (row.seq, row.hash));
        return Ok(start.ok_or(Broken::NoSuchStart(from)));
    }
    if first.seq == 1 {
        return Ok(Ok((0, String::new())));
    }
    let told = audit_entry::Entity::find()
        .filter(audit_entry::COLUMN.action.eq(CUT))
        .filter(audit_entry::COLUMN.object_id.eq((first.seq - 1).to_string()))
        .order_by_desc(audit_entry::Column::Seq)
        .one(db)
        .await?;
    // The entry that tells of the cut is in the chain itself: who changes it is found when the walk comes to it.
    let hash = told.and_then(|row| keep::hash_of_cut(&row));
    Ok(hash.map(|hash| (first.seq - 1, hash)).ok_or(Broken::FrontCut(first.seq)))
}

async fn first(db: &DatabaseConnection) -> Result<Option<audit_entry::Model>, Problem> {
    Ok(audit_entry::Entity::find().order_by_asc(audit_entry::Column::Seq).one(db).await?)
}

async fn page(db: &DatabaseConnection, after: i64) -> Result<Vec<audit_entry::Model>, Problem> {
    let rows = audit_entry::Entity::find().filter(audit_entry::COLUMN.seq.gt(after));
    Ok(rows.order_by_asc(audit_entry::Column::Seq).limit(PAGE).all(db).await?)
}
