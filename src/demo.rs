//! The demonstration village: real places and calendar, invented people whose names say that they are samples.
//!
//! Development starts with it, so that the first call after `cargo run` has something to answer; production refuses to
//! start beside its accounts, whose password everybody knows. Next: [`crate::commands`], which loads it.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use entity::{
    Instant, division,
    id::{StaffId, TalkRuleId},
    service_item, staff,
    talk_day::{TalkFormat, TalkPurpose},
    talk_rule::{self, HolidayPolicy},
    unit::UnitKind,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde_json::json;

use crate::{
    app::{App, StartFault},
    auth::{
        Duty,
        accounts::{self, NewAccount},
        hash_password,
    },
    calendar, catalogue, clock,
    db::Tx,
    divisions,
    jobs::sweeps::{self, Sweep},
    problem::Problem,
    settings,
    talks::recurrence::Recurrence,
};

/// Statistical code of the demonstration village, 石笋村 of 碑庙镇.
pub const VILLAGE: &str = "511702108212";
/// The password of every demonstration account.
pub const PASSWORD: &str = "shuoshi-demo";

const TOWNSHIP: &str = "511702108000";
const COUNTY: &str = "511702000000";
const NEIGHBOUR_VILLAGE: &str = "511702108213";

const DIVISIONS: &[u8] = include_bytes!("../config/divisions/dazhou.csv");
const HOLIDAYS: &[u8] = include_bytes!("../config/calendar/holidays-cn.csv");
const CATALOGUE: &[u8] = include_bytes!("../config/catalogue/dazhou.json");

/// A unit and who sits in it: user name, name, duties.
struct Desk {
    division: &'static str,
    kind: UnitKind,
    name: &'static str,
    people: &'static [(&'static str, &'static str, &'static [Duty])],
}

const DESKS: &[Desk] = &[
    Desk {
        division: VILLAGE,
        kind: UnitKind::VillageDesk,
        name: "石笋村便民服务室",
        people: &[
            (
                "desk",
                "样例 经办员甲",
                &[
                    Duty::AcceptCases,
                    Duty::AssignCases,
                    Duty::HandleCases,
                    Duty::ManageTalks,
                    Duty::HostTalks,
                    Duty::ManagePeople,
                ],
            ),
            ("cadre", "样例 村干部乙", &[Duty::HandleCases, Duty::HostTalks]),
            ("cadre2", "样例 村干部丙", &[Duty::HandleCases, Duty::HostTalks]),
        ],
    },
    Desk {
        division: TOWNSHIP,
        kind: UnitKind::TownshipCentre,
        name: "碑庙镇便民服务中心",
        people: &[(
            "town",
            "样例 镇窗口丁",
            &[
                Duty::AcceptCases,
                Duty::AssignCases,
                Duty::HandleCases,
                Duty::Supervise,
                Duty::ManageTalks,
                Duty::ManagePeople,
            ],
        )],
    },
    Desk {
        division: TOWNSHIP,
        kind: UnitKind::DisciplineDesk,
        name: "碑庙镇纪检监察办公室",
        people: &[("discipline", "样例 纪检员戊", &[Duty::HandleDiscipline])],
    },
    Desk {
        division: COUNTY,
        kind: UnitKind::County,
        name: "通川区民情督办室（样例）",
        people: &[
            ("county", "样例 督办员己", &[Duty::Supervise]),
            (
                "admin",
                "样例 管理员庚",
                &[Duty::ManageAccounts, Duty::ManageCatalogue, Duty::ReadAudit, Duty::ManageReceivers],
            ),
        ],
    },
    Desk {
        division: NEIGHBOUR_VILLAGE,
        kind: UnitKind::VillageDesk,
        name: "陡坑村便民服务室",
        people: &[(
            "neighbour",
            "样例 邻村经办员辛",
            &[
                Duty::AcceptCases,
                Duty::AssignCases,
                Duty::HandleCases,
                Duty::ManageTalks,
                Duty::HostTalks,
                Duty::ManagePeople,
            ],
        )],
    },
];

/// User names of the demonstration accounts, in the order of the table.
pub fn usernames() -> impl Iterator<Item = &'static str> {
    DESKS.iter().flat_map(|desk| desk.people.iter().map(|(username, ..)| *username))
}

/// Loads places, calendar, catalogue and the demonstration village. What is there already stays as it is.
pub async fn load(app: &Arc<App>) -> Result<(), StartFault> {
    load_reference(app).await?;
    let known = staff::Entity::find().filter(staff::COLUMN.username.is_in(usernames())).one(app.db.read()).await?;
    if known.is_some() {
        return Ok(());
    }
    // One hash for all: the password is public, and each hash costs tens of milliseconds.
    let hash = hash_password(PASSWORD)?;
    let now = app.clock.now();
    app.db.transact(async move |tx| people_the_village(tx, &hash, now).await).await?;
    Ok(sweeps::run(app, Sweep::MaterialiseTalkDays).await?)
}

/// Whether somebody could sign in with the password everybody knows.
pub async fn any_demonstration_account(db: &impl ConnectionTrait) -> Result<bool, Problem> {
    let found = staff::Entity::find()
        .select_only()
        .column(staff::Column::Id)
        .filter(staff::COLUMN.demonstration.eq(true))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .into_tuple::<StaffId>()
        .one(db)
        .await?;
    Ok(found.is_some())
}

async fn load_reference(app: &App) -> Result<(), StartFault> {
    let said = |what: &'static str| move |fault: &dyn std::fmt::Display| StartFault::Other(format!("{what}: {fault}"));
    let village = division::Entity::find().filter(division::COLUMN.code.eq(VILLAGE)).one(app.db.read()).await?;
    if village.is_none() {
        divisions::import::import(&app.db, DIVISIONS).await.map_err(|fault| said("divisions")(&fault))?;
    }
    let now = app.clock.now();
    if app.calendar.load().version() == "none" {
        let rows = calendar::parse(HOLIDAYS)
            .map_err(|bad| StartFault::Other(bad.first().map_or_else(String::new, |row| format!("calendar: {row}"))))?;
        calendar::publish(&app.db, rows, "config/calendar/holidays-cn.csv", now).await?;
        settings::refresh(app).await?;
    }
    // Only into an empty catalogue: what the operator published since is not taken back at the next start.
    if service_item::Entity::find().one(app.db.read()).await?.is_none() {
        catalogue::import::import(&app.db, CATALOGUE, app.clock.clone())
            .await
            .map_err(|fault| said("catalogue")(&fault))?;
    }
    Ok(())
}

async fn people_the_village(tx: &Tx, hash: &str, now: Instant) -> Result<(), Problem> {
    // A day long past, so that the postings stand whatever the clock of a test says.
    let since = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_else(|| clock::local_day(now));
    for desk in DESKS {
        let place = division_of(tx, desk.division).await?;
        let unit = accounts::find_or_make_unit(tx, &place, desk.kind, desk.name).await?;
        for (username, name, duties) in desk.people {
            let account = NewAccount {
                username: (*username).to_owned(),
                name: (*name).to_owned(),
                password_hash: hash.to_owned(),
                demonstration: true,
            };
            let person = accounts::add(tx, account, now).await?;
            accounts::post(tx, person, unit, &place, duties, since, None).await?;
            if *username == "cadre" {
                add_talk_rule(tx, &place, person, now).await?;
            }
        }
    }
    Ok(())
}

async fn division_of(tx: &Tx, code: &str) -> Result<division::Model, Problem> {
    let found = division::Entity::find().filter(division::COLUMN.code.eq(code)).one(tx).await?;
    found.ok_or_else(|| Problem::unexpected(format!("the demonstration needs division {code}")))
}

/// The 5th, 15th and 25th, nine to half past eleven; of 70 places a day 21 are kept for people who just come.
async fn add_talk_rule(tx: &Tx, village: &division::Model, host: StaffId, now: Instant) -> Result<(), Problem> {
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    let days = Recurrence::MonthlyDays { days: vec![5, 15, 25] };
    let rule = talk_rule::ActiveModel {
        id: Set(TalkRuleId::fresh()),
        division_id: Set(village.id),
        recurrence: Set(json!(days)),
        exceptions: Set(json!([])),
        starts: Set(time(9, 0)),
        ends: Set(time(11, 30)),
        slot_minutes: Set(15),
        capacity: Set(7),
        walk_in_share: Set(0.3),
        hosts: Set(json!([host])),
        place: Set("石笋村便民服务室".to_owned()),
        modes: Set(json!(["in_person", "phone"])),
        purpose: Set(TalkPurpose::Talk),
        format: Set(TalkFormat::PrivateSlots),
        holiday_policy: Set(HolidayPolicy::Keep),
        video_url: Set(None),
        opens_days_before: Set(14),
        closes_hours_before: Set(2),
        version: Set(1),
        created_at: Set(now),
        ended_at: Set(None),
    };
    rule.insert(tx).await?;
    Ok(())
}
