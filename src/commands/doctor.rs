//! `doctor`: looks at everything a server needs, a line each, and says what to do about what is missing.

use std::{path::Path, process::ExitCode};

use chrono::Datelike;
use secrecy::ExposeSecret;

use super::say;
use crate::{
    app::StartFault,
    calendar,
    clock::{self, Clock},
    config::Config,
    db::Db,
    demo, wechat,
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
    match Config::load() {
        Ok(config) => {
            findings.fine(&format!("configuration: complete ({:?})", config.environment));
            look_at_keys(&config, &mut findings);
            look_at_folder(&config, &mut findings);
            look_at_database(&config, &mut findings).await;
            look_at_wechat(&config, &mut findings).await;
        }
        Err(fault) => findings.fault(&fault.to_string()),
    }
    let Findings { fine, notes, faults } = findings;
    say(&format!("{fine} ok, {notes} to know, {faults} to do"));
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look_at_keys(config: &Config, findings: &mut Findings) {
    let count = config.crypto.field_keys.len();
    if config.is_production() {
        findings
            .fine(&format!("keys: {count} for fields, {} for tokens, none of them public", config.auth.jwt_keys.len()));
    } else {
        findings.note("keys: development may use the public demonstration keys; production refuses them");
    }
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

async fn look_at_wechat(config: &Config, findings: &mut Findings) {
    let settings = wechat::Settings {
        base_url: config.wechat.base_url.clone(),
        app_id: config.wechat.app_id.clone(),
        secret: config.wechat.secret.clone(),
    };
    let client = match wechat::Client::new(settings, Clock::system()) {
        Ok(client) => client,
        Err(fault) => return findings.fault(&format!("WeChat: {fault}")),
    };
    match client.access_token().await {
        Ok(_) => findings.fine(&format!("WeChat: {} gave an access token", config.wechat.base_url)),
        Err(_) if config.wechat_sim.enabled => {
            findings.note("WeChat: the simulator does not run now; `shuoshi serve` starts it");
        }
        Err(fault) => findings.fault(&format!(
            "WeChat: {} gave no access token: {fault}; check wechat.app_id, wechat.secret and the IP allow-list",
            config.wechat.base_url
        )),
    }
}
