//! `staff add`: the first administrator of a fresh database, and whoever else is made by hand.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};
use entity::unit::UnitKind;
use serde_json::Value;

use super::{open, place_of_code, say};
use crate::{
    app::StartFault,
    audit::{self, Actor, Entry},
    auth::{
        Duty,
        accounts::{self, NewAccount},
        hash_password,
    },
    clock::{self, Clock},
    config::Config,
    crypto::FieldKeys,
    db::Db,
    problem::{Code, Problem},
    telemetry,
};

#[derive(Debug, Subcommand)]
pub(super) enum Staff {
    /// Makes an account with one posting.
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// What they sign in with: letters, digits, dot, hyphen and underscore.
    #[arg(long, value_parser = username)]
    username: String,
    /// As people call them.
    #[arg(long)]
    name: String,
    /// Statistical or civil-affairs code of the place, 12 digits.
    #[arg(long)]
    division: String,
    /// What they may do there; may be given more than once.
    #[arg(long = "duty", required = true, value_parser = duty)]
    duties: Vec<Duty>,
    /// The unit they sit in; without it the village desk, the township centre or the county by the place's level.
    #[arg(long, value_parser = unit_kind)]
    unit_kind: Option<UnitKind>,
    /// The unit's name; needed for a department.
    #[arg(long)]
    unit_name: Option<String>,
    /// Reads the password from standard input without asking.
    #[arg(long)]
    password_stdin: bool,
}

fn username(text: &str) -> Result<String, String> {
    accounts::username(text).ok_or_else(|| "1 to 64 letters, digits, dots, hyphens and underscores".to_owned())
}

fn duty(text: &str) -> Result<Duty, String> {
    let known: Vec<&str> = Duty::ALL.iter().map(|duty| duty.slug()).collect();
    Duty::ALL.iter().find(|duty| duty.slug() == text).copied().ok_or_else(|| format!("one of {}", known.join(", ")))
}

fn unit_kind(text: &str) -> Result<UnitKind, String> {
    serde_json::from_value(Value::String(text.to_owned()))
        .map_err(|_| "one of village_desk, township_centre, discipline_desk, department, county".to_owned())
}

pub(super) async fn add(new: Add) -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    let password_hash = hash_password(&password(new.password_stdin)?)?;
    let keys = FieldKeys::new(&config.crypto)?;
    let db = open(&config).await?;
    let done = write(&db, keys, new, password_hash).await;
    db.close().await;
    say(&done?);
    Ok(())
}

async fn write(db: &Db, keys: FieldKeys, new: Add, password_hash: String) -> Result<String, StartFault> {
    let place = place_of_code(db, &new.division).await?;
    let kind = new.unit_kind.unwrap_or_else(|| accounts::usual_unit(place.level));
    if kind == UnitKind::Department && new.unit_name.is_none() {
        return Err(StartFault::Other("a department needs --unit-name".to_owned()));
    }
    let unit_name = new.unit_name.unwrap_or_else(|| accounts::unit_name(kind, &place.display_name));
    let said = format!("{} may sign in as {} of {}", new.name, new.username, unit_name);
    let account = NewAccount { username: new.username, name: new.name, password_hash, demonstration: false };
    let (now, duties) = (Clock::system().now(), new.duties);
    let made = db.transact(async move |tx| {
        let unit = accounts::find_or_make_unit(tx, &place, kind, &unit_name).await?;
        let staff = accounts::add(tx, account.clone(), now).await?;
        accounts::post(tx, staff, unit, &place, &duties, clock::local_day(now), None).await?;
        let named: Vec<&str> = duties.iter().map(|duty| duty.slug()).collect();
        let entry = Entry::done("add_staff", "staff", staff).of_fields(named.join(","));
        audit::record(tx, &keys, &Actor::operator(), entry, now).await
    });
    made.await.map_err(in_words)?;
    Ok(said)
}

fn in_words(problem: Problem) -> StartFault {
    match problem.code() {
        Code::UsernameTaken => StartFault::Other("somebody has this user name already".to_owned()),
        _ => problem.into(),
    }
}

/// One line of standard input.
fn password(silent: bool) -> Result<String, StartFault> {
    let input = std::io::stdin().lock();
    if !silent && input.is_terminal() {
        say("Password (it is shown as you type; --password-stdin reads it from a pipe):");
    }
    let line = input.lines().next().transpose().map_err(|fault| StartFault::Other(fault.to_string()))?;
    let password = line.unwrap_or_default();
    if !accounts::password_fits(&password) {
        let (least, most) = (accounts::LEAST_PASSWORD, accounts::MOST_PASSWORD);
        let text = format!("the password must have {least} to {most} characters; give it on standard input");
        return Err(StartFault::Other(text));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_line_are_read() {
        assert_eq!(username(" Desk.A ").unwrap(), "desk.a");
        assert!(username("甲").is_err());
        assert_eq!(duty("accept_cases").unwrap(), Duty::AcceptCases);
        assert!(duty("rule_the_world").unwrap_err().contains("manage_talks"));
        assert_eq!(unit_kind("county").unwrap(), UnitKind::County);
        assert!(unit_kind("ministry").is_err());
    }
}
