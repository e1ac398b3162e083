//! Open work as a file: the list that staff see, line by line, masked as it is there.
//!
//! Confidential cases and private matters are in no file, whoever asks. Every file is audited. It ends after 10,000 lines
//! and says so in its last.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpResponse, get, web::Data};
use entity::{case, division, id::DivisionId};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QuerySelect};

use super::{
    ops::{
        find::Names,
        listing::{self, Asked},
    },
    staff_api::ListStaffCases,
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::WorkOnCases},
    clock::local_day,
    db::padded,
    http::{Cursor, PageQuery},
    lists,
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Language, Problem},
    sheets::{self, Cells, Pages, SheetParams, SheetQuery, slug, word},
};

/// Lines of a file.
const MOST: usize = 10_000;
/// Lines that are read at once.
const PAGE: u64 = 100;

/// Open work as a file, the first due first; the parameters are those of the list. At most 10,000 lines: of more, the
/// last line says that it is cut. A cell that a spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(
    tag = "staff", params(ListStaffCases, SheetParams),
    responses((status = 200, description = "The list", content(
        (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )))
)]
#[get("/staff/cases/export")]
pub async fn export_cases(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    query: SheetQuery<ListStaffCases>,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let SheetQuery { by, format } = query;
    let asked = by.asked(&app)?;
    let fields = format!("{} {} masked", slug(&asked.view), format.ending());
    let entry = Entry::plain("export_cases", "case").of_fields(fields);
    audit::note(&app, &Actor::staff(&staff), entry).await?;
    let name = format!("cases-{}.{}", local_day(app.clock.now()), format.ending());
    let pages = CasePages { app, staff, asked, language, most: MOST, cursor: None, ended: false };
    sheets::answer(format, &name, pages).await
}

struct CasePages {
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    asked: Asked,
    language: Language,
    /// Lines that may still be written.
    most: usize,
    cursor: Option<String>,
    ended: bool,
}

impl Pages for CasePages {
    fn headings(&self) -> Cells {
        let columns = [
            "number",
            "case_kind",
            "item",
            "concern",
            "topic",
            "title",
            "urgency",
            "channel",
            "village",
            "contact_name",
            "contact_phone",
            "state",
            "unit",
            "assignee",
            "filed_on",
            "accepted_on",
            "promised_due_on",
            "statutory_due_on",
            "due_on",
        ];
        columns.iter().map(|column| self.word("column", column)).collect()
    }

    async fn next(&mut self) -> Result<Option<Vec<Cells>>, Problem> {
        // A page may hold nothing that may be shown: the next one is looked at.
        while !self.ended {
            let lines = self.page().await?;
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }
}

impl CasePages {
    async fn page(&mut self) -> Result<Vec<Cells>, Problem> {
        let page = PageQuery { limit: Some(PAGE), cursor: self.cursor.take() };
        let mut keyed = listing::page(&self.app, &self.staff, &self.asked, &page).await?;
        let size = usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.ended = keyed.len() <= size;
        keyed.truncate(size);
        self.cursor = keyed.last().map(|(key, _)| Cursor::write(key)).transpose()?;
        let mut rows: Vec<case::Model> = keyed.into_iter().map(|(_, row)| row).collect();
        rows.retain(|row| !row.confidential && !row.private);
        let cut = rows.len() > self.most || (rows.len() == self.most && !self.ended);
        rows.truncate(self.most);
        self.most -= rows.len();
        let mut lines = self.lines(&rows).await?;
        if cut {
            self.ended = true;
            lines.push(vec![self.word("value", "cut").replace("%{most}", &MOST.to_string())]);
        }
        Ok(lines)
    }

    async fn lines(&self, rows: &[case::Model]) -> Result<Vec<Cells>, Problem> {
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let db = self.app.db.read();
        let staff: HashSet<_> = rows.iter().filter_map(|row| row.assignee_id).collect();
        let units: HashSet<_> = rows.iter().map(|row| row.unit_id).collect();
        let names = Names::of_items(&self.app, db, rows).await?;
        let names = names.and_people(db, padded(staff), padded(units)).await?;
        let villages = villages(db, rows).await?;
        rows.iter().map(|row| self.line(row, &names, &villages)).collect()
    }

    fn line(&self, row: &case::Model, names: &Names, villages: &HashMap<DivisionId, String>) -> Result<Cells, Problem> {
        let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let name: Option<PersonName> = self.app.field_keys.open_if(row.contact_name.as_ref())?;
        let phone: Option<PhoneNumber> = self.app.field_keys.open_if(row.contact_phone.as_ref())?;
        let item = row.item_id.and_then(|item| names.items.get(&item)).map(|item| item.name.clone());
        Ok(vec![
            row.number.clone(),
            self.word("case_kind", &slug(&row.kind)),
            item.unwrap_or_default(),
            row.concern.map(|concern| self.word("case_concern", &slug(&concern))).unwrap_or_default(),
            row.topic.as_deref().map(|topic| lists::name("topics", topic, self.language)).unwrap_or_default(),
            row.title.clone(),
            self.word("case_urgency", &slug(&row.urgency)),
            self.word("case_channel", &slug(&row.channel)),
            villages.get(&row.village_id).cloned().unwrap_or_default(),
            name.map(|name| name.masked()).unwrap_or_default(),
            phone.map(|phone| phone.masked()).unwrap_or_default(),
            self.word("case_state", &slug(&row.state)),
            names.units.get(&row.unit_id).cloned().unwrap_or_default(),
            row.assignee_id.and_then(|id| names.staff.get(&id)).cloned().unwrap_or_default(),
            local_day(row.created_at).to_string(),
            day(row.accepted_on),
            day(row.promised_due_on),
            day(row.statutory_due_on),
            row.due_on.to_string(),
        ])
    }

    fn word(&self, kind: &str, code: &str) -> String {
        word(kind, code, self.language)
    }
}

async fn villages(db: &DatabaseConnection, rows: &[case::Model]) -> Result<HashMap<DivisionId, String>, Problem> {
    let ids: HashSet<DivisionId> = rows.iter().map(|row| row.village_id).collect();
    let rows: Vec<(DivisionId, String)> = division::Entity::find()
        .select_only()
        .column(division::Column::Id)
        .column(division::Column::DisplayName)
        .filter(division::COLUMN.id.is_in(padded(ids)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
