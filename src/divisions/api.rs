//! `/divisions`

use actix_web::{HttpResponse, Responder, get, web::Data, web::Path};
use entity::{
    division::{self, DivisionLevel},
    id::DivisionId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::ops::{self, Wanted};
use crate::{
    app::App,
    http::{ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
};

/// `?parent=&code=&q=&level=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDivisions {
    /// Children of this division.
    parent: Option<DivisionId>,
    /// Statistical or civil-affairs code, 12 digits.
    #[validate(length(max = 12))]
    #[param(max_length = 12)]
    code: Option<String>,
    /// Part of the name.
    #[validate(length(min = 1, max = 40))]
    #[param(min_length = 1, max_length = 40)]
    q: Option<String>,
    level: Option<DivisionLevel>,
}

/// A place.
#[derive(Serialize, ToSchema)]
pub struct DivisionView {
    id: DivisionId,
    parent: Option<DivisionId>,
    level: DivisionLevel,
    /// 地级市, 县, 镇, 村委会 ...
    kind: String,
    /// Statistical code (国家统计局).
    code: String,
    /// Civil-affairs code (民政部), where it is known.
    mca_code: Option<String>,
    /// Full name.
    name: String,
    /// As people say it.
    display_name: String,
    /// The place that took this one in, when it was merged.
    merged_into: Option<DivisionId>,
}

impl From<division::Model> for DivisionView {
    fn from(row: division::Model) -> Self {
        Self {
            id: row.id,
            parent: row.parent_id,
            level: row.level,
            kind: row.kind,
            code: row.code,
            mca_code: row.mca_code,
            name: row.name,
            display_name: row.display_name,
            merged_into: row.merged_into,
        }
    }
}

/// Finds places by parent, code, name or level, in the order of their codes.
#[utoipa::path(tag = "divisions", security(()), params(ListDivisions, PageQuery), responses((status = 200, body = Page<DivisionView>)))]
#[get("/divisions")]
pub async fn list_divisions(app: Data<App>, query: ListQuery<ListDivisions>) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let wanted = Wanted {
        parent: by.parent,
        code: by.code.as_deref(),
        name: by.q.as_deref(),
        level: by.level,
        cursor: page.cursor.as_deref(),
        limit: page.size(),
    };
    let rows = ops::search(&app, wanted).await?;
    json(&Page::cut(rows, page.size(), |row| row.code.clone(), DivisionView::from)?)
}

/// One place.
#[utoipa::path(
    tag = "divisions", security(()), params(("division" = DivisionId, Path)),
    responses((status = 200, body = DivisionView), (status = 304, description = "Not changed"))
)]
#[get("/divisions/{division}")]
pub async fn get_division(app: Data<App>, division: Path<DivisionId>) -> Result<impl Responder, Problem> {
    Ok(Single(DivisionView::from(ops::find(app.db.read(), *division).await?)))
}
