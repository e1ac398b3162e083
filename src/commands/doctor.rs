//! `doctor`: looks at everything a server needs, a line each, and says what to do about what is missing. One fault never
//! hides another: what cannot be used is passed over, and the next thing is looked at.

mod keys;
mod outside;

use std::{path::Path, process::ExitCode};

use chrono::Datelike;
use entity::{division::DivisionLevel, posting, staff};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait};
use secrecy::ExposeSecret;

use super::say;
use crate::{
    app::StartFault,
    calendar,
    clock::{self, Clock},
    config::Config,
    db::Db,
    demo,
};

/// What was found, line by line.
#[derive(Default)]
struct Findings {
    fine: u32,
    notes: u32,
    faults: u32,
}

impl Findings {
    fn fine(&mut self, text: &str) {
        self.fine += 1;
        say(&format!("ok     {text}"));
    }

    /// Worth knowing, nothing to do yet.
    fn note(&mut self, text: &str) {
        self.notes += 1;
        say(&format!("note   {text}"));
    }

    /// Something must be done.
    fn fault(&mut self, text: &str) {
        self.faults += 1;
        say(&format!("TO DO  {text}"));
    }
}

pub(super) async fn doctor() -> Result<ExitCode, StartFault> {
    let mut findings = Findings::default();
    match Config::read() {
        Ok((config, faults)) => {
            if faults.is_empty() {
                findings.fine(&format!("configuration: complete ({:?})", config.environment));
            }
            for fault in &faults {
                findings.fault(&format!("configuration: {fault}"));
            }
            keys::look_at_secrets(&config, &mut findings);
            look_at_folder(&config, &mut findings);
            outside::look_at_store(&config, &mut findings).await;
            look_at_database(&config, &mut findings).await;
            outside::look_at_wechat(&config, &mut findings).await;
            outside::look_at_wecom(&config, &mut findings).await;
            outside::look_at_channels(&config, &mut findings);
            outside::look_at_content(&config, &mut findings);
        }
        Err(fault) => findings.fault(&fault.to_string()),
    }
    let Findings { fine, notes, faults } = findings;
    say(&format!("{fine} ok, {notes} to know, {faults} to do"));
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look_at_folder(config: &Config, findings: &mut Findings) {
    let folder = &config.data.dir;
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() && !found.permissions().readonly() => {
            findings.fine(&format!("files: {} is there", folder.display()));
        }
        Ok(_) => findings.fault(&format!("files: {} must be a folder one can write to (data.dir)", folder.display())),
        Err(_) => findings.note(&format!("files: {} will be made by `shuoshi serve`", folder.display())),
    }
}

async fn look_at_database(config: &Config, findings: &mut Findings) {
    let url = config.database.url.expose_secret();
    if let Some(file) = url.strip_prefix("sqlite:") {
        let file = file.trim_start_matches("//").split('?').next().unwrap_or_default();
        if !Path::new(file).exists() {
            // Connecting would make it, and looking must not change anything.
            let text = format!("database: {file} is not there yet; `shuoshi migrate up` makes it");
            return if config.is_production() { findings.fault(&text) } else { findings.note(&text) };
        }
    }
    let db = match Db::connect(&config.database).await {
        Ok(db) => db,
        Err(fault) => return findings.fault(&format!("database: {fault}; check database.url and that it runs")),
    };
    findings.fine(&format!("database: answers ({})", db.engine()));
    if look_at_migrations(&db, findings).await {
        look_at_calendar(&db, findings).await;
        look_at_accounts(config, &db, findings).await;
        look_at_second_factors(&db, findings).await;
        keys::look_at_sealed(config, &db, findings).await;
    }
    db.close().await;
}

async fn look_at_migrations(db: &Db, findings: &mut Findings) -> bool {
    let missing = match db.migrations().await {
        Ok(steps) => steps.into_iter().filter(|(_, applied)| !applied).map(|(name, _)| name).collect::<Vec<_>>(),
        Err(fault) => vec![fault.to_string()],
    };
    if missing.is_empty() {
        findings.fine("migrations: all applied");
    } else {
        findings.fault(&format!("migrations: {} missing; run `shuoshi migrate up`", missing.join(", ")));
    }
    missing.is_empty()
}

async fn look_at_calendar(db: &Db, findings: &mut Findings) {
    let calendar = match calendar::latest(db.read()).await {
        Ok(calendar) => calendar,
        Err(fault) => return findings.fault(&format!("calendar: cannot be read: {fault}")),
    };
    let today = clock::local_day(Clock::system().now());
    let known = |year: i32| calendar.years().any(|known| known == year);
    let next = today.year() + 1;
    if !known(today.year()) {
        findings.fault(&format!("calendar: {} is missing; `shuoshi import calendar FILE`", today.year()));
    } else if known(next) {
        findings.fine(&format!("calendar: {} and {next} are known", today.year()));
    } else if today.month() == 12 {
        findings.fault(&format!("calendar: {next} is missing and due dates reach it; `shuoshi import calendar FILE`"));
    } else {
        let text = format!(
            "calendar: {} is known, {next} is not; import it when the State Council has announced it (usually November)",
            today.year()
        );
        findings.note(&text);
    }
}

async fn look_at_accounts(config: &Config, db: &Db, findings: &mut Findings) {
    match demo::any_demonstration_account(db.read()).await {
        Ok(true) if config.is_production() => {
            findings.fault("accounts: this database has demonstration accounts; use a fresh one");
        }
        Ok(true) => findings.note("accounts: demonstration accounts are there; production refuses this database"),
        Ok(false) => findings.fine("accounts: no demonstration accounts"),
        Err(fault) => findings.fault(&format!("accounts: cannot be read: {fault}")),
    }
}

/// Who oversees more than a village should not depend on a password alone.
async fn look_at_second_factors(db: &Db, findings: &mut Findings) {
    let today = clock::local_day(Clock::system().now());
    let posts = posting::Entity::belongs_to(staff::Entity).from(posting::Column::StaffId).to(staff::Column::Id);
    let names = posting::Entity::find()
        .select_only()
        .column(staff::Column::Username)
        .join(JoinType::InnerJoin, posts.into())
        .filter(posting::COLUMN.level.ne(DivisionLevel::Village))
        .filter(posting::COLUMN.starts_on.lte(today))
        .filter(posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(today)))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .filter(staff::COLUMN.demonstration.eq(false))
        .filter(staff::COLUMN.totp_confirmed_at.is_null())
        .filter(staff::COLUMN.wecom_userid.is_null())
        .distinct()
        .order_by_asc(staff::Column::Username)
        .into_tuple::<String>()
        .all(db.read())
        .await;
    match names {
        Ok(names) if names.is_empty() => findings.fine("accounts: township and above have a second factor"),
        Ok(names) => {
            let (count, shown) = (names.len(), names.into_iter().take(10).collect::<Vec<_>>().join(", "));
            findings.note(&format!(
                "accounts: {count} of township or above without a second factor ({shown}); let them set one up"
            ));
        }
        Err(fault) => findings.fault(&format!("accounts: cannot be read: {fault}")),
    }
}
