use std::sync::LazyLock;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn clock() -> Clock {
    Clock::standing_at(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_780))
}

fn told(faults: Vec<FieldFault>) -> Vec<(String, String)> {
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "a literal at every call")]
fn wrong(schema: Value) -> Vec<(String, String)> {
    told(Form::compile(&schema, &clock()).err().unwrap_or_default())
}

fn pair(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

fn sample() -> Form {
    let schema = json!({
        "$schema": DIALECT, "type": "object", "required": ["name", "people"], "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "minLength": 2, "maxLength": 4},
            "citizen_no": {"type": "string", "format": "citizen-no"},
            "phone": {"type": "string", "format": "phone"},
            "since": {"type": "string", "format": "date"},
            "meter": {"type": "string", "pattern": "^[0-9]{3}$"},
            "members": {"type": "integer", "minimum": 1, "maximum": 9},
            "why": {"enum": ["ill", "old"]},
            "people": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"$ref": "#/$defs/person"}},
        },
        "$defs": {"person": {"type": "object", "required": ["a/b"], "properties": {"a/b": {"type": "string"}}}},
    });
    Form::compile(&schema, &clock()).unwrap()
}

#[test]
fn every_keyword_has_its_code_and_every_fault_its_field() {
    let form = sample();
    let faults = |answers: Value| told(form.faults(&answers, "/form"));
    assert_eq!(faults(json!({"name": "样例", "people": [{"a/b": "x"}]})), []);
    assert_eq!(faults(json!({})), [pair("/form/name", "required"), pair("/form/people", "required")]);
    let all = faults(json!({
        "name": "长长的名字", "citizen_no": "511702190001010018", "phone": "12345", "since": "2026-02-30", "meter": "12a",
        "members": 0, "why": "poor", "people": [{"n": 1}, {"n": 2}, {"n": 3}], "x~y": 1,
    }));
    assert_eq!(
        all,
        [
            pair("/form/citizen_no", "format"),
            pair("/form/members", "too_small"),
            pair("/form/meter", "pattern"),
            pair("/form/name", "too_long"),
            pair("/form/people", "too_many"),
            pair("/form/people/0/a~1b", "required"),
            pair("/form/people/1/a~1b", "required"),
            pair("/form/people/2/a~1b", "required"),
            pair("/form/phone", "format"),
            pair("/form/since", "format"),
            pair("/form/why", "not_a_choice"),
            pair("/form/x~0y", "not_allowed"),
        ]
    );
    let other = faults(json!({"name": "一", "members": 10, "people": [], "since": 1}));
    assert_eq!(
        other,
        [
            pair("/form/members", "too_big"),
            pair("/form/name", "too_short"),
            pair("/form/people", "too_few"),
            pair("/form/since", "wrong_type"),
        ]
    );
    assert_eq!(
        faults(json!({"name": "样例", "people": [{"a/b": "x"}, {"a/b": "x"}]})),
        [pair("/form/people", "duplicate")]
    );
    assert_eq!(faults(json!([])), [pair("/form", "wrong_type")]);
}

#[test]
fn right_numbers_and_phones_pass() {
    let form = sample();
    let right = json!({
        "name": "样例", "citizen_no": "511724196611230006", "phone": "138 0000 1234", "since": "2026-02-28",
        "people": [{"a/b": ""}],
    });
    assert_eq!(form.faults(&right, "/form"), []);
}

#[test]
fn no_more_than_twenty_faults_are_told() {
    let many: Map<String, Value> = (0..100).map(|nth| (format!("field{nth:03}"), json!(1))).collect();
    assert_eq!(sample().faults(&Value::Object(many), "/form").len(), MOST_FAULTS);
}

#[test]
fn a_schema_that_is_none_is_refused_where_it_is_wrong() {
    assert_eq!(wrong(json!([])), [pair("", "wrong_type")]);
    assert_eq!(wrong(json!({})), [pair("/type", "not_an_object")]);
    assert_eq!(wrong(json!({"type": "object", "required": "name"})), [pair("/required", "not_a_schema")]);
    let of = |field: Value| json!({"type": "object", "properties": {"a": field}});
    assert_eq!(wrong(of(json!({"type": "text"}))), [pair("/properties/a/type", "not_a_schema")]);
    assert_eq!(wrong(of(json!({"format": "citizen_no"}))), [pair("/properties/a/format", "unknown")]);
    assert_eq!(wrong(of(json!({"$ref": "https://example.org/x"}))), [pair("/properties/a/$ref", "unknown")]);
    assert_eq!(wrong(of(json!({"$id": "https://example.org/x"}))), [pair("/properties/a/$id", "not_allowed_here")]);
    let draft7 = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"});
    assert_eq!(wrong(draft7), [pair("/$schema", "not_allowed_here")]);
}

#[test]
fn what_would_hang_us_is_refused() {
    let of = |definitions: Value| json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": definitions});
    let round = of(json!({"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"items": {"$ref": "#/$defs/a"}}}));
    assert_eq!(wrong(round), [pair("/$defs", "never_ends")]);
    let mut doubling = Map::new();
    for nth in 0..20 {
        let next = format!("#/$defs/{}", if nth == 19 { "end".to_owned() } else { format!("a{}", nth + 1) });
        doubling.insert(
            if nth == 0 { "a".to_owned() } else { format!("a{nth}") },
            json!({"allOf": [{"$ref": next}, {"$ref": next}]}),
        );
    }
    doubling.insert("end".to_owned(), json!({"type": "string"}));
    assert_eq!(wrong(of(Value::Object(doubling))), [pair("", "too_long")]);
    // No engine that goes back: what only such a one can read is refused.
    let behind = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)b"}}});
    assert_eq!(wrong(behind), [pair("/properties/a/pattern", "bad_pattern")]);
    let huge =
        json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "(((a{1,99}){1,99}){1,99})b"}}});
    assert_eq!(wrong(huge), [pair("/properties/a/pattern", "bad_pattern")]);
    let names = json!({"type": "object", "patternProperties": {"a{201}": true}});
    assert_eq!(wrong(names), [pair("/patternProperties", "bad_pattern")]);
    for (pattern, tame) in [("^[0-9]{12,22}$", true), ("^\\p{Han}{2,40}$", true), ("(a{20}){20}", false), ("a{,", true)]
    {
        assert_eq!(is_tame(pattern), tame, "{pattern}");
    }
    let mut deep = json!({"type": "string"});
    for _ in 0..20 {
        deep = json!({"not": deep});
    }
    assert_eq!(wrong(json!({"type": "object", "not": deep})), [pair("", "too_deep")]);
}

/// Any JSON, some of it with the words of schemas.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("type".to_owned()),
        Just("$ref".to_owned()),
        Just("properties".to_owned()),
        Just("items".to_owned()),
        Just("pattern".to_owned()),
        Just("allOf".to_owned()),
        Just("$defs".to_owned()),
        Just("members".to_owned()),
        Just("citizen_no".to_owned()),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("object")),
        Just(json!("#/$defs/a")),
        Just(json!("(a+)+$")),
        "[0-9Xx]{18}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

static REAL_FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let schemas = crate::catalogue::import::tests::real().into_iter().filter_map(|item| item.form);
    schemas.map(|schema| Form::compile(&schema, &clock()).unwrap()).collect()
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answers_crash_a_form(answers in any_json()) {
        for form in REAL_FORMS.iter() {
            let faults = form.faults(&answers, "/form");
            prop_assert!(faults.len() <= MOST_FAULTS);
        }
        let faults = sample().faults(&answers, "/form");
        prop_assert!(faults.iter().all(|fault| fault.pointer.starts_with("/form")));
    }

    #[test]
    fn no_schema_crashes_us(mut schema in any_json(), answers in any_json()) {
        if let Value::Object(members) = &mut schema {
            members.insert("type".to_owned(), json!("object"));
        }
        if let Ok(form) = Form::compile(&schema, &clock()) {
            let _ = form.faults(&answers, "/form");
        }
    }
}
