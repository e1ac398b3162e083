//! Reads `config/divisions/*.csv` into the table: new codes are added, known ones brought up to date.

use std::collections::HashMap;
use std::io::Read;

use entity::{
    division::{self, DivisionLevel},
    id::DivisionId,
};
use sea_orm::{EntityTrait, Set, sea_query::OnConflict};
use serde::Deserialize;

use crate::{db::Db, problem::Problem};

#[derive(Clone, Debug, Deserialize)]
struct Line {
    code: String,
    name: String,
    level: DivisionLevel,
    parent_code: String,
    kind: String,
    mca_code: String,
    display_name: String,
}

/// Why a file of divisions was not taken. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// A line that cannot be read.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1, the heading included.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The database.
    #[error("the database refused: {0}")]
    Database(String),
}

/// Rows a statement: well below `SQLite`'s limit of bound values.
const BATCH: usize = 500;

/// Imports a file; parents must stand before their children. Answers how many rows it read.
pub async fn import(db: &Db, file: impl Read) -> Result<usize, ImportFault> {
    let lines = parse(file)?;
    let count = lines.len();
    let written = db.transact(async move |tx| {
        let known = division::Entity::find().all(tx).await?;
        let mut ids: HashMap<String, DivisionId> = known.into_iter().map(|row| (row.code, row.id)).collect();
        for line in &lines {
            ids.entry(line.code.clone()).or_insert_with(DivisionId::fresh);
        }
        let by_code: HashMap<&str, &Line> = lines.iter().map(|line| (line.code.as_str(), line)).collect();
        let rows: Vec<division::ActiveModel> = lines.iter().filter_map(|line| row(line, &ids, &by_code)).collect();
        for batch in rows.chunks(BATCH) {
            let newer = OnConflict::column(division::Column::Code)
                .update_columns([
                    division::Column::ParentId,
                    division::Column::Kind,
                    division::Column::McaCode,
                    division::Column::Name,
                    division::Column::DisplayName,
                    division::Column::CityId,
                    division::Column::CountyId,
                    division::Column::TownshipId,
                ])
                .to_owned();
            division::Entity::insert_many(batch.to_vec()).on_conflict(newer).exec_without_returning(tx).await?;
        }
        Ok(())
    });
    written.await.map_err(|problem: Problem| ImportFault::Database(problem.source_text().unwrap_or("?").to_owned()))?;
    Ok(count)
}

fn parse(file: impl Read) -> Result<Vec<Line>, ImportFault> {
    let mut lines: Vec<Line> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (at, line) in csv::Reader::from_reader(file).deserialize::<Line>().enumerate() {
        let fault = |reason: String| ImportFault::Line { line: at + 2, reason };
        let line = line.map_err(|reason| fault(reason.to_string()))?;
        if line.code.len() != 12 || !line.code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault(format!("'{}' is not a code of 12 digits", line.code)));
        }
        if line.level != DivisionLevel::City && !seen.contains(&line.parent_code) {
            return Err(fault(format!("its parent {} does not stand before it", line.parent_code)));
        }
        if !seen.insert(line.code.clone()) {
            return Err(fault(format!("{} stands there twice", line.code)));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn row(
    line: &Line,
    ids: &HashMap<String, DivisionId>,
    by_code: &HashMap<&str, &Line>,
) -> Option<division::ActiveModel> {
    let mut above = HashMap::new();
    let mut next = by_code.get(line.parent_code.as_str());
    while let Some(parent) = next {
        above.insert(parent.level, *ids.get(&parent.code)?);
        next = by_code.get(parent.parent_code.as_str());
    }
    Some(division::ActiveModel {
        id: Set(*ids.get(&line.code)?),
        parent_id: Set(by_code.get(line.parent_code.as_str()).and_then(|parent| ids.get(&parent.code)).copied()),
        level: Set(line.level),
        kind: Set(line.kind.clone()),
        code: Set(line.code.clone()),
        mca_code: Set(Some(line.mca_code.clone()).filter(|code| !code.is_empty())),
        name: Set(line.name.clone()),
        display_name: Set(line.display_name.clone()),
        city_id: Set(above.get(&DivisionLevel::City).copied()),
        county_id: Set(above.get(&DivisionLevel::County).copied()),
        township_id: Set(above.get(&DivisionLevel::Township).copied()),
        merged_into: Set(None),
        ended_on: Set(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_file_reads_and_a_bad_line_is_named() {
        let file = include_bytes!("../../config/divisions/dazhou.csv");
        assert_eq!(parse(&file[..]).unwrap().len(), 2491);
        let bad = "code,name,level,parent_code,kind,ur_class,mca_code,display_name\n51170,x,city,,地级市,,,x\n";
        assert_eq!(parse(bad.as_bytes()).unwrap_err().to_string(), "line 2: '51170' is not a code of 12 digits");
    }
}
