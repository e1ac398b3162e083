//! A right body for every operation that needs one, so that only who asks can be what is wrong with a call.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shuoshi::demo::PASSWORD;

use super::operations;
use crate::{
    cases::answer,
    support::{TOPIC, a_booking},
};

/// Operation and body, for a village and somebody who works there; one for each action where a body is one of several.
/// Text stands for a file.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn bodies(village: &str, cadre: &str) -> Vec<(&'static str, Value)> {
    let matter =
        json!({"kind": "voice", "concern": "question", "division": village, "text": "路灯何时修", "topic": TOPIC});
    let entered =
        json!({"channel": "phone", "for_person": {"name": "样例", "phone": "13800000000"}, "reason": "不识字"});
    let terms = json!({"starts": "19:00", "ends": "20:00", "place": "村委会"});
    let recurrence = json!({"recurrence": {"kind": "weekly", "weekdays": [6]}});
    let authority = json!({
        "agent_phone": "13800000008", "scope": ["talk"], "until": "2027-01-01", "evidence": {"kind": "paper"},
    });
    let agreed = json!({"granted": true, "text_version": "2026-11"});
    vec![
        // The codes are those of who asks.
        ("take_wechat_phone", json!({"code": "0"})),
        ("confirm_phone", json!({"phone": "13800000007", "code": "000000"})),
        ("send_phone_code", json!({"phone": "13800000007"})),
        ("claim_residence", json!({"village": village, "name": "样例", "citizen_no": "511725194611240009"})),
        ("authorise_agent", authority.clone()),
        ("record_authorisation", authority),
        ("decide_consent", agreed.clone()),
        ("record_consent", agreed),
        ("refuse_residence_claim", json!({"reason": "请带身份证来村里"})),
        ("update_me", json!({"name": "样例"})),
        ("book_slot", a_booking()),
        // The persons and the slot are found when they are known.
        ("book_household", both(&a_booking(), &json!({"persons": []}))),
        ("move_booking", json!({"slot": ""})),
        ("move_for_caller", json!({"slot": ""})),
        ("object_to_missed", json!({"text": "我到了"})),
        ("settle_missed", json!({"upheld": true})),
        ("book_for_caller", both(&a_booking(), &json!({"for_person": {"name": "样例", "phone": "13800000009"}}))),
        ("set_priority", json!({"until": "2027-06-30", "reason": "残疾证已核实"})),
        ("file_case", matter.clone()),
        ("act_on_case", json!({"action": "submit"})),
        ("act_on_case", json!({"action": "confirm"})),
        ("act_on_case", json!({"action": "reopen", "reason": "not_done", "text": "灯还是不亮"})),
        ("act_on_case", json!({"action": "withdraw"})),
        ("act_on_case", json!({"action": "supplement", "text": "材料补上了"})),
        ("act_on_case", json!({"action": "object", "text": "我不同意"})),
        ("act_on_case", json!({"action": "nudge"})),
        ("act_on_case", json!({"action": "revive"})),
        ("review_case", json!({"stars": 5})),
        ("add_to_review", json!({"text": "后来也没再坏"})),
        ("rerate_case", json!({"stars": 4})),
        ("note_follow_up_contact", json!({"how": "phone", "text": "已道歉", "complex": false})),
        ("settle_follow_up", json!({"outcome": "put_right", "text": "已整改"})),
        ("appeal_review", json!({"text": "当天我不在村里"})),
        ("decide_review_appeal", json!({"upheld": false, "text": "属实"})),
        ("record_call_back", json!({"result": "solved", "text": "确实办好了"})),
        ("enter_case", both(&matter, &entered)),
        ("act_on_staff_case", json!({"action": "accept"})),
        (
            "act_on_staff_case",
            json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请向法院起诉"}),
        ),
        ("act_on_staff_case", json!({"action": "assign", "assignee": cadre})),
        ("act_on_staff_case", json!({"action": "sign"})),
        ("act_on_staff_case", json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"})),
        ("act_on_staff_case", answer()),
        ("act_on_staff_case", json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补户口簿"})),
        ("act_on_staff_case", json!({"action": "settle_objection", "upheld": true, "text": "应当受理"})),
        // The main case, the unit and the other cadre are found when they are known.
        ("act_on_staff_case", json!({"action": "merge", "into": "00000000-0000-0000-0000-000000000000"})),
        ("act_on_staff_case", json!({"action": "unmerge", "text": "不是一件事"})),
        (
            "act_on_staff_case",
            json!({"action": "transfer", "assignee": cadre, "reason": "better_placed", "text": "他更熟悉"}),
        ),
        ("act_on_staff_case", json!({"action": "escalate", "reason": "beyond_authority", "text": "村里办不了"})),
        (
            "act_on_staff_case",
            json!({"action": "pause", "reason": "site_check", "until": "2026-12-10", "text": "要勘验"}),
        ),
        ("act_on_staff_case", json!({"action": "resume"})),
        ("act_on_staff_case", json!({"action": "extend", "working_days": 2, "reason": "complex", "text": "情况复杂"})),
        ("act_on_staff_case", json!({"action": "approve"})),
        ("act_on_staff_case", json!({"action": "refuse", "text": "不必"})),
        (
            "act_on_staff_case",
            json!({"action": "call_in", "assignee": cadre, "answer_on": "2026-12-10", "text": "请来会商"}),
        ),
        ("act_on_staff_case", json!({"action": "report", "text": "已看过"})),
        ("act_on_staff_case", json!({"action": "milestone", "milestone": "received_papers"})),
        ("act_on_staff_case", json!({"action": "note", "text": "记一笔"})),
        ("act_on_staff_case", json!({"action": "summarise", "text": "路灯不亮"})),
        ("act_on_staff_case", json!({"action": "contact", "how": "phone", "text": "打过电话"})),
        ("act_on_staff_case", json!({"action": "supervise", "text": "请抓紧"})),
        ("act_on_staff_case", json!({"action": "reopen_by_order", "reason": "not_done", "text": "请重办"})),
        // The unit is found when it is known.
        ("add_duty", json!({"topic": "roads", "unit": ""})),
        ("change_settings", json!({"numbers": {"accept_days": 2}})),
        (
            "publish_calendar",
            json!({
                "year": 2027, "source": "样例通知",
                "days": [{"date": "2027-01-01", "kind": "holiday", "name": "元旦"}],
            }),
        ),
        ("reveal_person", json!({"fields": ["name", "phone", "citizen_no"], "reason": "核对联系方式"})),
        ("reveal_case", json!({"fields": ["contact_name", "contact_phone", "form"], "reason": "联系当事人"})),
        ("make_talk_rule", both(&terms, &recurrence)),
        ("change_talk_rule", both(&terms, &recurrence)),
        ("preview_talk_rule", both(&terms, &recurrence)),
        ("preview_talk_rule_change", both(&terms, &recurrence)),
        ("make_talk_day", both(&terms, &json!({"date": "2026-11-26"}))),
        ("cancel_talk_day", json!({"reason": "下大雪"})),
        ("shift_talk_day", json!({"date": "2026-11-27", "reason": "下大雪"})),
        ("withdraw_host", json!({"host": cadre, "reason": "去镇上开会"})),
        ("register_walk_in", json!({"name": "样例", "topic": TOPIC, "summary": "村口的路灯不亮"})),
        ("find_in_line", json!({"code": "K7M4XA"})),
        (
            "replay_line",
            json!({"actions": [{"key": "desk-1-0001", "at": "2026-11-23T10:00:00+08:00", "action": "call_next"}]}),
        ),
        ("order_route", json!({"bookings": []})),
        ("conclude_booking", json!({"record": "当面答复", "outcome": "answered"})),
        ("correct_record", json!({"text": "当面答复了", "reason": "写错了一个字"})),
        ("screen_booking", json!({"as": "public", "title": "村口路灯"})),
        // The digest is that of the minutes.
        ("sign_minutes", json!({"name": "样例", "phone": "13800000009", "mark": "seal", "digest": "0".repeat(64)})),
        ("decide_content", json!({"decision": "show"})),
        ("reword_content", json!({"text": "换个说法"})),
        ("publish_answer", json!({"title": "村口路灯", "may_identify": false})),
        ("take_down_publication", json!({"reason": "写错了"})),
        ("report_subscriptions", json!({"answers": {"shuoshi-demo-progress-template-000000000001": "accept"}})),
        ("rate_talk_day", json!({"stars": 5})),
        ("import_roster", json!("姓名,身份证号\n张一,511725194611240009\n")),
        ("make_unit", json!({"division": village, "kind": "grid", "name": "一网格"})),
        ("change_unit", json!({"name": "石笋村服务室"})),
        ("make_account", account("made-by-the-walk", village)),
        ("change_account", json!({"name": "样例 改名"})),
        ("change_own_password", json!({"old_password": PASSWORD, "new_password": "another password"})),
        ("enrol_totp", json!({})),
        // The code is that of who asks.
        ("confirm_totp", json!({"code": "000000"})),
        ("arrange_absence", json!({"from": "2026-11-25", "until": "2026-11-26", "stand_in": cadre})),
        ("end_absence", json!({})),
        ("record_conflict", json!({"with_staff": cadre, "kind": "relative"})),
        ("publish_case", json!({"public": false})),
        // A photo takes their place.
        ("upload_file", json!("photo")),
        ("upload_staff_file", json!("photo")),
        ("make_api_key", json!({"name": "样例"})),
        ("make_webhook", json!({"url": "http://127.0.0.1:9/hook"})),
        ("change_webhook", json!({"url": "http://127.0.0.1:9/other"})),
        ("rotate_webhook_secret", json!({})),
        ("replay_webhook", json!({"since": "2026-11-23T00:00:00Z"})),
        // The period is another each time.
        ("draw_report", json!({"kind": "monthly_list", "period": "2026-10"})),
        ("sign_report", json!({"version": 1})),
        ("discard_report", json!({"version": 1})),
        ("publish_item", json!({"version": 1, "note": "样例", "item": an_item("DZ-CJ-01")})),
        ("retire_item", json!({"reason": "样例"})),
        ("finish_call", json!({"how": "phone"})),
        ("fail_call", json!({"text": "没人接"})),
        ("import_catalogue", json!(json!({"items": [an_item("DZ-XX-01")]}).to_string())),
    ]
}

/// Parameters that an operation cannot do without.
pub(super) fn parameters(operation: &str) -> &'static str {
    match operation {
        "export_register" => "?register=people",
        "list_bookings_for_desk" => "?waiting_for=confirmation",
        _ => "",
    }
}

/// An item of the catalogue.
fn an_item(code: &str) -> Value {
    json!({
        "item_code": code, "name": "样例事项", "kind": "proxy", "handled_at": "village", "decided_at": "village",
        "department": "样例部门", "materials": ["居民身份证"], "statutory_days": null, "promised_days": 3, "fee": "0",
        "audience": "村民", "sichuan_item_code": null, "source": "", "provenance": {}, "estimated": [],
    })
}

/// An account of somebody who assigns and handles cases in a village.
pub(super) fn account(username: &str, village: &str) -> Value {
    let posting = json!({"division": village, "duties": ["assign_cases", "handle_cases"]});
    json!({"username": username, "password": PASSWORD, "name": "样例", "postings": [posting]})
}

fn both(one: &Value, other: &Value) -> Value {
    let members = [one, other].into_iter().flat_map(|value| value.as_object().unwrap().clone());
    Value::Object(members.collect())
}

/// What a body may be: the actions of a tagged one, else just `None`.
fn kinds(document: &Value, schema: &Value) -> BTreeSet<Option<String>> {
    let schema = match schema["$ref"].as_str() {
        Some(target) => document.pointer(target.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let Some(variants) = schema["oneOf"].as_array() else { return BTreeSet::from([None]) };
    variants.iter().map(|variant| variant["properties"]["action"]["enum"][0].as_str().map(str::to_owned)).collect()
}

/// Whoever adds an operation or an action writes a right body for it into [`bodies`]: the walk tries it on everybody.
#[test]
fn every_operation_that_needs_a_body_has_one_for_each_of_its_actions() {
    let document = shuoshi::openapi::document();
    let mut needed = BTreeSet::new();
    for operation in operations().into_iter().filter(|operation| !operation.public) {
        let body = &operation.described["requestBody"];
        if body["required"] == true {
            let schema = &body["content"]["application/json"]["schema"];
            needed.extend(kinds(&document, schema).into_iter().map(|kind| (operation.id.clone(), kind)));
        }
    }
    let action = |body: &Value| body["action"].as_str().map(str::to_owned);
    let written = bodies("village", "cadre").into_iter().map(|(id, body)| (id.to_owned(), action(&body))).collect();
    let missing: Vec<_> = needed.difference(&written).collect();
    let idle: Vec<_> = written.difference(&needed).collect();
    assert!(missing.is_empty(), "no body in tests/it/contract/bodies.rs for {missing:?}");
    assert!(idle.is_empty(), "bodies of nothing in tests/it/contract/bodies.rs: {idle:?}");
}
