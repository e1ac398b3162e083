//! What is said to staff: the sentence of one notice, and messages about one or many. Pure.
//!
//! The inbox speaks the caller's language. Messages to members and what robots say in groups are in the language of the
//! place: nobody asks for those, so nobody says which language they read.

use entity::staff_notice;
use rust_i18n::t;

use crate::{clock::local_time, notices::words, problem::Language};

/// Case numbers that one message names.
const NAMED: usize = 5;
const OF_THE_PLACE: Language = Language::ZhCn;

/// The sentence of a notice.
pub(super) fn sentence(row: &staff_notice::Model, language: Language) -> String {
    words::filled(&t!(format!("staff_notice.{}", row.kind), locale = language.tag()), &row.params)
}

/// What one person is told in WeCom of all that waits for them. It ends with the time of the newest: WeCom drops a text
/// that it was given a moment ago, which another notice in the same words must not be taken for.
pub(super) fn message(rows: &[staff_notice::Model]) -> String {
    let text = match rows {
        [one] if one.confidential => about("staff_discreet", rows),
        [one] => sentence(one, OF_THE_PLACE),
        many => about("staff_together", many),
    };
    let newest = rows.iter().map(|row| row.created_at).max().unwrap_or_default();
    let at = local_time(newest).format("%H:%M:%S").to_string();
    t!("told.staff_at", locale = OF_THE_PLACE.tag(), text = text, at = at).into_owned()
}

/// What a robot says of them in its group.
pub(super) fn said_in_group(rows: &[staff_notice::Model]) -> String {
    about("group", rows)
}

/// That there is something: how much, and which cases.
fn about(key: &str, rows: &[staff_notice::Model]) -> String {
    let (count, numbers) = (rows.len(), numbers(rows));
    t!(format!("told.{key}"), locale = OF_THE_PLACE.tag(), count = count, numbers = numbers).into_owned()
}

/// The numbers of the first cases among them, in brackets; none of what is confidential.
fn numbers(rows: &[staff_notice::Model]) -> String {
    let mut named: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| !row.confidential) {
        if let Some(number) = row.params.get("number").and_then(|number| number.as_str())
            && !named.contains(&number)
        {
            named.push(number);
        }
    }
    if named.is_empty() {
        return String::new();
    }
    let key = if named.len() > NAMED { "staff_numbers_more" } else { "staff_numbers" };
    named.truncate(NAMED);
    let numbers = named.join(&*t!("told.staff_between", locale = OF_THE_PLACE.tag()));
    t!(format!("told.{key}"), locale = OF_THE_PLACE.tag(), numbers = numbers).into_owned()
}

#[cfg(test)]
mod tests {
    use entity::{
        id::{StaffId, StaffNoticeId},
        notice_delivery::NoticeUrgency,
        staff_notice::StaffNoticeState,
    };
    use serde_json::json;

    use super::*;

    fn notice(number: &str, at: &str, confidential: bool) -> staff_notice::Model {
        staff_notice::Model {
            id: StaffNoticeId::fresh(),
            staff_id: StaffId::fresh(),
            kind: "case_given".to_owned(),
            urgency: NoticeUrgency::Normal,
            case_id: None,
            division_id: None,
            confidential,
            params: json!({"number": number, "answer_on": null}),
            state: StaffNoticeState::Waiting,
            robot: None,
            message_id: None,
            message_text: None,
            message_at: None,
            due_at: at.parse().unwrap(),
            sent_at: None,
            error: None,
            created_at: at.parse().unwrap(),
            read_at: None,
        }
    }

    #[test]
    fn a_message_says_when_the_newest_came_and_names_nothing_confidential() {
        let one = notice("A-1", "2026-11-23T02:00:00Z", false);
        assert_eq!(message(std::slice::from_ref(&one)), "办件 A-1 派给您了，请签收（10:00:00）");
        let secret = notice("B-2", "2026-11-23T06:32:59Z", true);
        assert_eq!(message(std::slice::from_ref(&secret)), "您有一条新的待办，请登录查看（14:32:59）");
        let both = [one, secret];
        assert_eq!(message(&both), "您有 2 条新的待办（A-1），请登录查看（14:32:59）");
        assert_eq!(said_in_group(&both), "有 2 条新的待办（A-1），请登录查看");
    }

    #[test]
    fn the_first_cases_are_named_each_once() {
        let of = |number: u32| notice(&format!("A-{number}"), "2026-11-23T02:00:00Z", false);
        let many: Vec<_> = [1, 1, 2, 3, 4, 5, 6].into_iter().map(of).collect();
        assert_eq!(said_in_group(&many), "有 7 条新的待办（A-1、A-2、A-3、A-4、A-5…），请登录查看");
        assert_eq!(said_in_group(&many[..6]), "有 6 条新的待办（A-1、A-2、A-3、A-4、A-5），请登录查看");
    }
}
