//! The same numbers reckoned another way, from the events alone: slow, plain, and without a line of the application.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use entity::{
    case::{self, CaseResult, CaseState},
    case_event,
    id::{CaseId, DivisionId},
};
use serde_json::{Value, json};
use shuoshi::clock::local_day;

use super::{Lives, at, day};

/// The year whose calendar is published late.
pub(super) const NEXT_YEAR: i32 = 2027;

/// A sample notice: day, and whether it is a working day.
pub(super) fn next_year() -> Vec<(NaiveDate, bool)> {
    let off = ["2027-01-01", "2027-04-05", "2027-05-03", "2027-05-04", "2027-06-09", "2027-09-15"];
    let spring = (5..=12).map(|on| format!("2027-02-{on:02}"));
    let autumn = (1..=7).map(|on| format!("2027-10-{on:02}"));
    let holidays = off.map(str::to_owned).into_iter().chain(spring).chain(autumn).map(|on| (day(&on), false));
    let made_up = ["2027-01-30", "2027-02-20", "2027-09-26", "2027-10-09"].map(|on| (day(on), true));
    holidays.chain(made_up).collect()
}

/// Days that are not as their weekday says.
#[derive(Clone, Default)]
pub(super) struct Calendar(HashMap<NaiveDate, bool>);

impl Calendar {
    pub(super) fn is_working(&self, day: NaiveDate) -> bool {
        self.0.get(&day).copied().unwrap_or(day.weekday().number_from_monday() < 6)
    }

    /// The `n`th working day after a day.
    fn after(&self, from: NaiveDate, n: u32) -> NaiveDate {
        let (mut on, mut left) = (from, n);
        while left > 0 {
            on = on.checked_add_days(Days::new(1)).unwrap();
            left -= u32::from(self.is_working(on));
        }
        on
    }

    /// The day with `n` working days left until a working day.
    fn before(&self, due: NaiveDate, n: u32) -> NaiveDate {
        let (mut on, mut left) = (due, n);
        while left > 0 || !self.is_working(on) {
            on = on.checked_sub_days(Days::new(1)).unwrap();
            left = left.saturating_sub(u32::from(self.is_working(on)));
        }
        on
    }

    /// Working days after a day, up to and including another.
    fn between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let days = from.iter_days().skip(1).take_while(|on| *on <= to);
        u32::try_from(days.filter(|on| self.is_working(*on)).count()).unwrap()
    }
}

/// What held when.
pub(super) struct Calendars {
    first: Calendar,
    then: Option<(DateTime<Utc>, Calendar)>,
}

impl Calendars {
    /// The notices that come with the product, read anew.
    pub(super) fn new() -> Self {
        let text = include_str!("../../../../config/calendar/holidays-cn.csv");
        let days = text.lines().skip(1).filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?.parse().ok()?, cells.next()? == "workday"))
        });
        Self { first: Calendar(days.collect()), then: None }
    }

    pub(super) fn published(&mut self, now: DateTime<Utc>) {
        let mut days = self.first.0.clone();
        days.extend(next_year());
        self.then = Some((now, Calendar(days)));
    }

    pub(super) fn at(&self, moment: DateTime<Utc>) -> &Calendar {
        match &self.then {
            Some((from, calendar)) if *from <= moment => calendar,
            _ => &self.first,
        }
    }
}

/// The steps of supervision of one case, each at the look of a server that should have seen it.
pub(super) fn supervision(
    case: &case::Model,
    events: &[case_event::Model],
    looks: &[DateTime<Utc>],
    calendars: &Calendars,
) -> Vec<(i64, DateTime<Utc>)> {
    let warns = if case.promised_days.or(case.statutory_days).unwrap_or(20) <= 5 { 1 } else { 3 };
    let mut steps = Vec::new();
    let (mut events, mut last) = (events.iter().filter(|event| event.action != "alarm").peekable(), 0);
    let (mut running, mut due, mut accepted_on, mut since) = (false, None, None, None);
    for look in looks {
        while let Some(event) = events.next_if(|event| event.at <= *look) {
            running = [CaseState::Accepted, CaseState::Assigned, CaseState::InProgress].contains(&event.to_state);
            due = event.promised_due_on.or(event.statutory_due_on);
            match event.action.as_str() {
                "submit" | "supplement" | "revive" => since = Some(event.at),
                "accept" if event.auto => {
                    // On the day on which a working day had passed in silence.
                    let from: DateTime<Utc> = since.unwrap();
                    accepted_on = Some(calendars.at(from).after(local_day(from), 1));
                }
                "accept" => accepted_on = Some(local_day(event.at)),
                "reopen" | "reopen_by_order" => last = 0,
                _ => {}
            }
        }
        let calendar = calendars.at(*look);
        let today = local_day(*look);
        let open = calendar.is_working(today) && (at(today, 9, 0)..at(today, 17, 0)).contains(look);
        let (true, true, Some(due), Some(accepted_on)) = (open, running, due, accepted_on) else { continue };
        while last < 4 {
            let yellow = calendar.before(due, warns).max(calendar.after(accepted_on, 1));
            let (step, comes) = match last {
                0 if yellow <= due => (1, yellow),
                0 | 1 => (2, calendar.after(due, 1)),
                2 => (3, calendar.after(due, 4)),
                _ => (4, calendar.after(due, 6)),
            };
            if at(comes, 9, 0) > *look {
                break;
            }
            steps.push((step, *look));
            last = step;
        }
    }
    steps
}

/// Whether a case is counted in a place: confidential and private ones are in no number.
pub(super) fn counts(case: &case::Model, place: DivisionId) -> bool {
    let here = [case.village_id, case.township_id, case.county_id].contains(&place);
    here && !case.confidential && !case.private && case.state != CaseState::Draft
}

fn share(did: usize, n: usize) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "some thousands")]
    let share = (n > 0).then(|| (did as f64 / n as f64 * 100.0).round() / 100.0);
    json!({"share": share, "n": n})
}

fn hidden(did: usize, n: usize) -> Value {
    if n < 10 { json!({"share": null, "n": null}) } else { share(did, n) }
}

/// The rates of cases.md, as the overview shows them.
pub(super) fn rates(
    lives: &Lives,
    place: DivisionId,
    (from, to): (NaiveDate, NaiveDate),
    calendars: &Calendars,
    now: DateTime<Utc>,
) -> Value {
    let within = |moment: DateTime<Utc>| (from..=to).contains(&local_day(moment));
    let cases: BTreeMap<CaseId, &case::Model> =
        lives.cases.iter().filter(|case| counts(case, place)).map(|case| (case.id, case)).collect();
    let timelines = || cases.keys().map(|id| &lives.events[id]);
    let in_time = || timelines().flatten().filter(|event| within(event.at));
    let many = |actions: &[&str]| in_time().filter(|event| actions.contains(&event.action.as_str())).count();

    let (mut due_contacts, mut made) = (0, 0);
    let (mut confirmed, mut achieved, mut silent) = (0, 0, 0);
    for events in timelines() {
        let signed = events.iter().position(|event| event.action == "sign");
        let first_contact = events.iter().position(|event| event.action == "contact");
        if let Some(signed) = signed.filter(|signed| first_contact.is_none_or(|contact| contact > *signed)) {
            let signed_at = events[signed].at;
            let due = at(calendars.at(signed_at).after(local_day(signed_at), 1), 17, 0);
            let contacted = first_contact.map(|contact| events[contact].at);
            if within(due) && (due <= now || contacted.is_some()) {
                due_contacts += 1;
                made += usize::from(contacted.is_some_and(|contacted| contacted <= due));
            }
        }
        // How it stands now: what was opened again is not closed.
        let ends = |event: &&case_event::Model| ["confirm", "reopen_by_order"].contains(&event.action.as_str());
        if let Some(end) = events.iter().rfind(ends).filter(|end| end.action == "confirm" && within(end.at)) {
            let said = events.iter().rfind(|event| event.action == "answer").and_then(|event| event.result);
            if end.auto {
                silent += 1;
            } else {
                confirmed += 1;
                achieved += usize::from(matches!(said, Some(CaseResult::Done | CaseResult::Partly)));
            }
        }
    }
    let (mut called, mut solved_by_phone) = (0, 0);
    for call in lives.call_backs.iter().filter(|call| call.called_at.is_some_and(within)) {
        let closed_in_silence = |id: &CaseId| {
            let closing =
                lives.events[id].iter().rfind(|event| ["confirm", "reopen_by_order"].contains(&event.action.as_str()));
            closing.is_some_and(|event| event.action == "confirm" && event.auto)
        };
        let said = call.result.as_deref().filter(|said| *said != "unreachable");
        if let (true, true, Some(said)) = (cases.contains_key(&call.case_id), closed_in_silence(&call.case_id), said) {
            called += 1;
            solved_by_phone += usize::from(said != "not_solved");
        }
    }
    let stars: Vec<i32> = lives
        .reviews
        .iter()
        .filter(|review| within(review.created_at) && cases.contains_key(&review.case_id))
        .map(|review| review.stars)
        .collect();
    let answers: Vec<&case_event::Model> = in_time().filter(|event| event.action == "answer").collect();
    let mut late: Vec<u32> = Vec::new();
    let mut with_a_day = 0;
    for answer in &answers {
        let Some(due) = answer.promised_due_on.or(answer.statutory_due_on) else { continue };
        with_a_day += 1;
        if local_day(answer.at) > due {
            late.push(calendars.at(now).between(due, local_day(answer.at)));
        }
    }
    late.sort_unstable();
    let mut asked = BTreeMap::<CaseId, usize>::new();
    for event in
        in_time().filter(|event| event.action == "request_supplement" && event.to_state == CaseState::Supplement)
    {
        *asked.entry(event.case_id).or_default() += 1;
    }
    let objected = many(&["reopen"]);
    json!({
        "first_contact": share(made, due_contacts),
        "solved": share(achieved + solved_by_phone, confirmed + objected + called),
        "satisfied": hidden(stars.iter().filter(|stars| **stars >= 3).count(), stars.len()),
        "rated": hidden(stars.len(), answers.len()),
        "on_time": share(with_a_day - late.len(), with_a_day),
        "median_overdue_days": if late.is_empty() { None } else { Some(late[(late.len() - 1) / 2]) },
        "returned": share(many(&["return"]), many(&["assign", "transfer", "escalate"])),
        "one_notice": share(asked.values().filter(|times| **times == 1).count(), asked.len()),
        "reopened": share(objected, answers.len()),
        "closed_by_silence": silent,
        "excluded_reviews": 0,
    })
}
