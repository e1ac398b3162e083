//! What an item must keep to be published, whoever publishes it and by whichever way. Pure.

use std::collections::BTreeSet;

use super::{
    form::Form,
    item::CatalogueItem,
    material::Material,
    questions::{self, Outcome, is_word},
    speech,
};
use crate::{clock::Clock, problem::FieldFault};

/// Fields that may be marked as estimates, and of which it may be said where they are from.
const FIELDS: [&str; 23] = [
    "name",
    "kind",
    "handled_at",
    "decided_at",
    "department",
    "materials",
    "material_details",
    "statutory_days",
    "promised_days",
    "fee",
    "audience",
    "sichuan_item_code",
    "implementation_code",
    "handling_type",
    "conditions",
    "procedure",
    "legal_basis",
    "source",
    "note",
    "easy_text",
    "form",
    "pre_check",
    "item_code",
];

/// Faults with their pointers below `at`.
struct Faults<'a> {
    at: &'a str,
    found: Vec<FieldFault>,
}

impl Faults<'_> {
    fn must(&mut self, holds: bool, field: &str, code: &str) {
        if !holds {
            self.found.push(FieldFault::new(format!("{}{field}", self.at), code));
        }
    }

    fn text(&mut self, field: &str, text: &str, most: usize) {
        self.must(!text.trim().is_empty(), field, "empty");
        self.must(text.chars().count() <= most, field, "length");
    }

    fn maybe(&mut self, field: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.text(field, text, most);
        }
    }

    fn texts(&mut self, field: &str, texts: &[String], most: usize) {
        self.must(texts.len() <= 20, field, "too_many");
        for (nth, text) in texts.iter().enumerate() {
            self.text(&format!("{field}/{nth}"), text, most);
        }
    }
}

/// What is wrong with an item, each with its pointer below `at`.
pub(super) fn check(item: &CatalogueItem, at: &str, clock: &Clock) -> Vec<FieldFault> {
    let mut faults = Faults { at, found: vec![] };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let code = &item.item_code;
    faults.must((1..=32).contains(&code.len()) && code.bytes().all(plain), "/item_code", "format");
    faults.text("/name", &item.name, 80);
    faults.text("/handled_at", &item.handled_at, 40);
    faults.text("/decided_at", &item.decided_at, 40);
    faults.text("/department", &item.department, 80);
    faults.text("/fee", &item.fee, 100);
    faults.text("/audience", &item.audience, 80);
    faults.maybe("/sichuan_item_code", item.sichuan_item_code.as_ref(), 40);
    faults.maybe("/implementation_code", item.implementation_code.as_ref(), 64);
    faults.must(item.source.chars().count() <= 1000, "/source", "length");
    faults.must(item.note.chars().count() <= 1000, "/note", "length");
    faults.texts("/conditions", &item.conditions, 200);
    faults.texts("/procedure", &item.procedure, 200);
    faults.must(item.legal_basis.len() <= 20, "/legal_basis", "too_many");
    for (nth, law) in item.legal_basis.iter().enumerate() {
        faults.text(&format!("/legal_basis/{nth}/title"), &law.title, 200);
        faults.maybe(&format!("/legal_basis/{nth}/article"), law.article.as_ref(), 100);
    }
    days(item, &mut faults);
    origins(item, &mut faults);
    materials(&item.materials, &mut faults);
    faults.must(item.easy_text.as_deref().is_none_or(|text| speech::is_easy(text, 600)), "/easy_text", "not_easy");
    let own_code = |outcome: &Outcome| matches!(outcome, Outcome::OtherItem { code } if *code == item.item_code);
    for (place, outcome) in outcomes(item) {
        faults.must(!own_code(outcome), &place, "not_allowed_here");
    }
    faults.found.extend(questions::check(&item.pre_check, &format!("{at}/pre_check")));
    if let Some(schema) = &item.form
        && let Err(wrong) = Form::compile(schema, clock)
    {
        let below = |fault: FieldFault| FieldFault { pointer: format!("{at}/form{}", fault.pointer), ..fault };
        faults.found.extend(wrong.into_iter().map(below));
    }
    faults.found
}

fn days(item: &CatalogueItem, faults: &mut Faults<'_>) {
    let sane = |days: Option<u16>| days.is_none_or(|days| days <= 1000);
    faults.must(sane(item.statutory_days), "/statutory_days", "range");
    faults.must(sane(item.promised_days), "/promised_days", "range");
    let within_the_law = item.statutory_days.zip(item.promised_days).is_none_or(|(law, promised)| promised <= law);
    faults.must(within_the_law, "/promised_days", "beyond_the_law");
}

fn origins(item: &CatalogueItem, faults: &mut Faults<'_>) {
    faults.must(item.provenance.len() <= FIELDS.len(), "/provenance", "too_many");
    for (field, sources) in &item.provenance {
        let place = format!("/provenance/{}", super::form::escaped(field));
        faults.must(FIELDS.contains(&field.as_str()), &place, "unknown");
        faults.must(sources.chars().count() <= 100, &place, "length");
    }
    for (nth, field) in item.estimated.iter().enumerate() {
        faults.must(FIELDS.contains(&field.as_str()), &format!("/estimated/{nth}"), "unknown");
        let twice = item.estimated.iter().take(nth).any(|other| other == field);
        faults.must(!twice, &format!("/estimated/{nth}"), "duplicate");
    }
}

fn materials(materials: &[Material], faults: &mut Faults<'_>) {
    faults.must(materials.len() <= 30, "/materials", "too_many");
    let mut codes = BTreeSet::new();
    for (nth, material) in materials.iter().enumerate() {
        let at = format!("/materials/{nth}");
        faults.must(is_word(&material.code), &format!("{at}/code"), "format");
        faults.must(codes.insert(&material.code), &format!("{at}/code"), "duplicate");
        faults.text(&format!("{at}/name"), &material.name, 80);
        faults.must((1..=20).contains(&material.copies), &format!("{at}/copies"), "range");
        faults.maybe(&format!("{at}/source"), material.source.as_ref(), 80);
        faults.maybe(&format!("{at}/required_when"), material.required_when.as_ref(), 100);
        let months = material.valid_months.is_none_or(|months| (1..=600).contains(&months));
        faults.must(months, &format!("{at}/valid_months"), "range");
        let useless = material.valid_months.is_some() && !material.reusable;
        faults.must(!useless, &format!("{at}/valid_months"), "not_allowed_here");
        let easy = material.easy_text.as_deref().is_none_or(|text| speech::is_easy(text, 200));
        faults.must(easy, &format!("{at}/easy_text"), "not_easy");
    }
}

/// Where its questions end, each with its pointer below the item.
pub(super) fn outcomes(item: &CatalogueItem) -> impl Iterator<Item = (String, &Outcome)> {
    item.pre_check.iter().enumerate().flat_map(|(nth, question)| {
        question.answers.iter().enumerate().filter_map(move |(at, answer)| {
            Some((format!("/pre_check/{nth}/answers/{at}/outcome/code"), answer.outcome.as_ref()?))
        })
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn faults_of(change: impl FnOnce(&mut serde_json::Value)) -> Vec<(String, String)> {
        let mut item = json!({
            "item_code": "DZ-XX-01", "name": "样例事项", "kind": "proxy", "handled_at": "village", "decided_at": "township",
            "department": "样例部门", "materials": ["身份证", {"code": "photo", "name": "照片", "kind": "photo", "copies": 2}],
            "statutory_days": 10, "promised_days": 5, "fee": "0", "audience": "村民", "sichuan_item_code": null,
            "source": "", "provenance": {"fee": "E"}, "estimated": ["fee"],
        });
        change(&mut item);
        let item: CatalogueItem = serde_json::from_value(item).unwrap();
        let faults = check(&item, "/item", &Clock::standing_at(DateTime::UNIX_EPOCH));
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), code.to_owned())]
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(faults_of(|_| ()), []);
        assert_eq!(faults_of(|item| item["promised_days"] = json!(11)), one("/item/promised_days", "beyond_the_law"));
        assert_eq!(faults_of(|item| item["item_code"] = json!("a b")), one("/item/item_code", "format"));
        assert_eq!(faults_of(|item| item["name"] = json!(" ")), one("/item/name", "empty"));
        assert_eq!(faults_of(|item| item["estimated"] = json!(["fees"])), one("/item/estimated/0", "unknown"));
        assert_eq!(
            faults_of(|item| item["materials"] = json!(["甲", "甲"])),
            one("/item/materials/1/code", "duplicate")
        );
        assert_eq!(faults_of(|item| item["easy_text"] = json!("很".repeat(41))), one("/item/easy_text", "not_easy"));
        assert_eq!(faults_of(|item| item["form"] = json!({"type": 1})), one("/item/form/type", "not_an_object"));
        let valid = |item: &mut serde_json::Value| item["materials"][1]["valid_months"] = json!(3);
        assert_eq!(faults_of(valid), one("/item/materials/1/valid_months", "not_allowed_here"));
    }

    #[test]
    fn an_item_does_not_send_people_to_itself() {
        let round = |item: &mut serde_json::Value| {
            let outcome = json!({"kind": "other_item", "code": "DZ-XX-01"});
            let answers = json!([{"label": "是", "value": "yes", "outcome": outcome}]);
            item["pre_check"] = json!([{"id": "a", "text": "是吗？", "answers": answers}]);
        };
        assert_eq!(faults_of(round), one("/item/pre_check/0/answers/0/outcome/code", "not_allowed_here"));
    }
}
