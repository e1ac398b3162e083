//! "Why this day?": the due day of a case, day by day, each counted or not and why.
//!
//! An auditor, a villager or a cadre asks; the answer is the same walk over the calendar that set the day, with the pauses
//! of the timeline laid over it.

use chrono::NaiveDate;
use entity::{
    case::{self, CaseRequest},
    case_event,
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::{effects::Detail, sla, workflow::Action};
use crate::{
    app::App,
    calendar::{Calendar, Why},
    clock::local_day,
    problem::Problem,
    settings::{self, Term},
};

/// What a day is to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedAs {
    /// The day of acceptance: 开始的当日不计入 (民法典 201).
    Start,
    /// A working day that used up one of the limit.
    Counted,
    /// A working day of the extension.
    Extended,
    /// A working day while the clock stood still: it is given back at the end.
    Paused,
    /// A working day given back for a pause that began when everything else was used up.
    GivenBack,
    /// A day off.
    Off,
}

/// One day of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DueDay {
    date: NaiveDate,
    counted_as: CountedAs,
    /// Why it is a working day or not.
    why: Why,
    /// The reason of the pause, a code of `pause_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<String>,
}

/// Why a due day is what it is.
#[derive(Serialize, ToSchema)]
pub struct DueDateExplained {
    /// One sentence.
    sentence: String,
    accepted_on: Option<NaiveDate>,
    /// Working days of the limit that the day was reckoned by.
    limit: u32,
    /// Working days of the extension.
    extended_days: u32,
    /// Working days by which pauses moved it.
    paused_days: u32,
    promised_due_on: Option<NaiveDate>,
    statutory_due_on: Option<NaiveDate>,
    /// The day the list explains: the promised one, else the statutory, else the twentieth working day.
    due_on: NaiveDate,
    /// Said on a talk day: answered by the next one, where that comes before the usual limit.
    next_talk_on: Option<NaiveDate>,
    /// A reopening on this day left so many working days at least.
    reopened_on: Option<NaiveDate>,
    calendar_version: String,
    /// A year without a published calendar was counted: the day may still move.
    provisional: bool,
    /// Every day from acceptance on, at most a thousand; empty before acceptance.
    days: Vec<DueDay>,
}

/// A pause: after `from`, up to and including `to`, the clock stood still.
#[derive(Clone, Debug)]
struct Pause {
    from: NaiveDate,
    to: NaiveDate,
    reason: Option<String>,
}

/// The most days of an answer.
const MOST: usize = 1_000;

/// Explains the due day of a case.
pub async fn explain(app: &App, case: &case::Model) -> Result<DueDateExplained, Problem> {
    let clocks = settings::of_case(app, case);
    let pauses = pauses(app.db.read(), case, local_day(app.clock.now())).await?;
    let count = |days: i32| u32::try_from(days).unwrap_or(0);
    // An extension moves what was promised; where nothing was, there is none to move.
    let sooner = case.accepted_on.and_then(|on| sla::days_to_the_next_talk(&clocks.calendar, case, on));
    let (limit, extended) = (sooner.unwrap_or_else(|| sla::limit(case)), count(case.extended_days));
    let days = case.accepted_on.map(|on| walk(&clocks.calendar, on, limit, extended, &pauses)).unwrap_or_default();
    let mut explained = DueDateExplained {
        sentence: String::new(),
        accepted_on: case.accepted_on,
        limit,
        extended_days: extended,
        paused_days: count(case.paused_days),
        promised_due_on: case.promised_due_on,
        statutory_due_on: case.statutory_due_on,
        due_on: case.due_on,
        next_talk_on: case.next_talk_on.filter(|_| sooner.is_some()),
        reopened_on: case.reopened_on,
        calendar_version: case.calendar_version.clone(),
        provisional: case.provisional,
        days,
    };
    explained.sentence = sentence(&explained, clocks.terms.get(Term::ReopenedDays));
    Ok(explained)
}

fn sentence(of: &DueDateExplained, reopened_days: u32) -> String {
    let Some(accepted_on) = of.accepted_on else { return t!("due.not_accepted", locale = "zh-CN").into_owned() };
    let off = of.days.iter().filter(|day| day.counted_as == CountedAs::Off).count();
    let mut said =
        t!("due.counted", locale = "zh-CN", from = accepted_on, limit = of.limit, off = off, due = of.due_on)
            .into_owned();
    if let Some(on) = of.next_talk_on {
        said.push_str(&t!("due.next_talk", locale = "zh-CN", on = on));
    }
    for (text, days) in [("due.extended", of.extended_days), ("due.paused", of.paused_days)] {
        if days > 0 {
            said.push_str(&t!(text, locale = "zh-CN", days = days));
        }
    }
    if let Some(on) = of.reopened_on {
        said.push_str(&t!("due.reopened", locale = "zh-CN", on = on, days = reopened_days));
    }
    if of.provisional {
        said.push_str(&t!("due.provisional", locale = "zh-CN"));
    }
    said
}

/// The pauses of a case that have begun, oldest first; one that goes on lasts until today.
async fn pauses(db: &DatabaseConnection, case: &case::Model, today: NaiveDate) -> Result<Vec<Pause>, Problem> {
    if case.paused_days == 0 && case.paused_on.is_none() {
        return Ok(vec![]);
    }
    let events = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case.id))
        .filter(case_event::COLUMN.action.is_in([Action::Pause, Action::Approve, Action::Resume].map(Action::slug)))
        .order_by_asc(case_event::Column::Seq)
        .all(db)
        .await?;
    Ok(pauses_of(&events, today))
}

fn pauses_of(events: &[case_event::Model], today: NaiveDate) -> Vec<Pause> {
    let (mut pauses, mut reason, mut open): (Vec<Pause>, _, Option<Pause>) = (vec![], None, None);
    for event in events {
        let on = local_day(event.at);
        if event.action == Action::Pause.slug() {
            reason.clone_from(&event.reason);
        } else if event.action == Action::Resume.slug() {
            if let Some(pause) = open.take() {
                // Time resumes on the day that was said.
                let to = if event.auto { pause.to.min(on) } else { on };
                pauses.push(Pause { to, ..pause });
            }
        } else if let Some(Detail::Decided { request: CaseRequest::Pause, granted: true, until, .. }) = detail(event) {
            open = Some(Pause { from: on, to: until.unwrap_or(on), reason: reason.take() });
        }
    }
    pauses.extend(open.map(|pause| Pause { to: pause.to.min(today), ..pause }));
    pauses
}

fn detail(event: &case_event::Model) -> Option<Detail> {
    event.detail.clone().and_then(|detail| serde_json::from_value(detail).ok())
}

/// Every day from acceptance until the limit, the extension and what pauses gave back are used up: each working day after
/// the first uses up one of them, so the last is the day that [`sla::due_dates`] reckons.
fn walk(calendar: &Calendar, from: NaiveDate, limit: u32, extended: u32, pauses: &[Pause]) -> Vec<DueDay> {
    let mut stood: u32 = pauses.iter().map(|pause| calendar.working_days_between(pause.from, pause.to)).sum();
    // No days at all, begun on a day off, end on the next working day.
    let limit = if limit == 0 && !calendar.is_working(from) { 1 } else { limit };
    let (mut left, mut extension, mut days) = (limit, extended, Vec::new());
    for (step, date) in from.iter_days().take(MOST).enumerate() {
        let day = calendar.day(date);
        let pause = pauses.iter().find(|pause| pause.from < date && date <= pause.to);
        let nothing_left = |left: u32, extension: u32, stood: u32| left + extension + stood == 0;
        let (counted_as, used) = if step == 0 {
            (CountedAs::Start, None)
        } else if !day.working {
            (CountedAs::Off, None)
        } else if pause.is_some() && stood > 0 {
            (CountedAs::Paused, Some(&mut stood))
        } else if left > 0 {
            (CountedAs::Counted, Some(&mut left))
        } else if extension > 0 {
            (CountedAs::Extended, Some(&mut extension))
        } else {
            (CountedAs::GivenBack, Some(&mut stood))
        };
        if let Some(used) = used {
            *used = used.saturating_sub(1);
        }
        let reason = pause.filter(|_| counted_as == CountedAs::Paused).and_then(|pause| pause.reason.clone());
        days.push(DueDay { date, counted_as, why: day.why, pause: reason });
        if day.working && nothing_left(left, extension, stood) {
            break;
        }
    }
    days
}
