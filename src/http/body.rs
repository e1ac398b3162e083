//! Bodies: parsed with a pointer to what was wrong, then checked by their rules.

use serde::de::DeserializeOwned;
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::problem::{Code, FieldFault, Problem};

/// The longest free text a villager or clerk may send, in characters.
pub const MAX_TEXT: u64 = 4000;

/// What a JSON body must be: readable, and true to its rules.
pub trait Checked: DeserializeOwned + Validate {}
impl<T: DeserializeOwned + Validate> Checked for T {}

/// Parses and validates a body; an empty one stands for `{}`.
pub(super) fn read<T: Checked>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Problem::new(Code::Malformed))?;
    let value = tidy(value).map_err(|fault| Problem::invalid(vec![fault]))?;
    let body: T =
        serde_path_to_error::deserialize(value).map_err(|fault| Problem::invalid(vec![wrong_type(&fault)]))?;
    body.validate().map_err(|faults| Problem::invalid(faults_of(&faults)))?;
    Ok(body)
}

/// JSON from outside as it may be kept: one spelling of each text, and nothing in it that cannot be seen.
///
/// # Errors
/// Where a text holds what it must not.
pub fn tidy(value: Value) -> Result<Value, FieldFault> {
    let value = composed(value);
    match control_characters(&value, String::new()) {
        Some(pointer) => Err(FieldFault::new(pointer, "control_characters")),
        None => Ok(value),
    }
}

/// A part of a file that came as JSON; the fault says where below `at`.
///
/// # Errors
/// The first field that is not what it should be.
pub fn part<T: DeserializeOwned>(value: Value, at: &str) -> Result<T, FieldFault> {
    serde_path_to_error::deserialize(value).map_err(|fault| {
        let fault = wrong_type(&fault);
        FieldFault { pointer: format!("{at}{}", fault.pointer), ..fault }
    })
}

/// One spelling of each text (Unicode NFC), so that what looks the same compares the same.
fn composed(value: Value) -> Value {
    match value {
        Value::String(text) if !is_nfc(&text) => Value::String(text.nfc().collect()),
        Value::Array(items) => Value::Array(items.into_iter().map(composed).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (name, composed(member))).collect())
        }
        other => other,
    }
}

/// Text that both engines can store and that cannot hide anything: no control characters but line breaks and tabs.
#[must_use]
pub fn plain_text(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{202A}'..='\u{202E}'))
}

fn control_characters(value: &Value, pointer: String) -> Option<String> {
    match value {
        Value::String(text) => (!plain_text(text)).then_some(pointer),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| control_characters(item, format!("{pointer}/{at}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if plain_text(name) {
                control_characters(member, format!("{pointer}/{name}"))
            } else {
                Some(pointer.clone())
            }
        }),
        _ => None,
    }
}

fn wrong_type(fault: &serde_path_to_error::Error<serde_json::Error>) -> FieldFault {
    use serde_path_to_error::Segment;
    let text = fault.inner().to_string();
    let code = fault_code(&text);
    let mut pointer = String::new();
    for segment in fault.path() {
        match segment {
            Segment::Seq { index } => pointer = format!("{pointer}/{index}"),
            Segment::Map { key } => pointer = format!("{pointer}/{key}"),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    // serde names a missing or unknown field in its sentence, not in its path.
    if let (true, Some(name)) = (matches!(code, "required" | "unknown_field"), text.split('`').nth(1))
        && !pointer.ends_with(&format!("/{name}"))
    {
        pointer = format!("{pointer}/{name}");
    }
    let mut field = FieldFault::new(pointer, code);
    field.hint = Some(text);
    field
}

/// The slug of what serde says in words.
pub(super) fn fault_code(text: &str) -> &'static str {
    for (start, code) in [
        ("missing field", "required"),
        ("unknown field", "unknown_field"),
        ("unknown variant", "unknown"),
        ("duplicate field", "duplicate"),
    ] {
        if text.contains(start) {
            return code;
        }
    }
    "type"
}

/// Faults of `validator`, each with its JSON pointer.
#[must_use]
pub fn faults_of(errors: &ValidationErrors) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    collect(errors, "", &mut faults);
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults
}

fn collect(errors: &ValidationErrors, prefix: &str, faults: &mut Vec<FieldFault>) {
    for (name, kind) in errors.errors() {
        let pointer = format!("{prefix}/{name}");
        match kind {
            ValidationErrorsKind::Field(of_field) => {
                faults.extend(of_field.iter().map(|fault| FieldFault::new(&pointer, fault.code.as_ref())));
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, faults),
            ValidationErrorsKind::List(items) => {
                for (at, inner) in items {
                    collect(inner, &format!("{pointer}/{at}"), faults);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[validate(length(min = 1, max = 3))]
        name: String,
        #[serde(default)]
        #[allow(dead_code, reason = "only its type matters here")]
        days: Vec<u32>,
    }

    fn fault(body: &str) -> String {
        let problem = read::<Sample>(body.as_bytes()).unwrap_err();
        let answer = problem.respond(crate::problem::Language::En, "", "");
        let body = actix_web::body::MessageBody::try_into_bytes(answer.into_body()).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        format!("{} {} {}", body["code"].as_str().unwrap(), body["errors"][0]["pointer"], body["errors"][0]["code"])
    }

    #[test]
    fn a_wrong_body_is_told_what_and_where() {
        assert_eq!(fault("{"), "malformed null null");
        assert_eq!(fault("{}"), r#"invalid "/name" "required""#);
        assert_eq!(fault(r#"{"name":"x","mane":1}"#), r#"invalid "/mane" "unknown_field""#);
        assert_eq!(fault(r#"{"name":"x","days":[1,"a"]}"#), r#"invalid "/days/1" "type""#);
        assert_eq!(fault(r#"{"name":"四个字啊"}"#), r#"invalid "/name" "length""#);
        assert_eq!(fault("{\"name\":\"a\\u0000\"}"), r#"invalid "/name" "control_characters""#);
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        let read = |text: &str| read::<Sample>(format!("{{\"name\":\"{text}\"}}").as_bytes()).unwrap().name;
        assert_eq!(read("Lu\u{308}"), "L\u{fc}");
        assert_eq!(read("\u{fa1c}"), "\u{9756}");
        assert_eq!(read("Lu\\u0308"), "L\u{fc}", "written with an escape");
        let nested = composed(serde_json::json!({"a": [{"b": "e\u{301}"}], "c": 1}));
        assert_eq!(nested, serde_json::json!({"a": [{"b": "\u{e9}"}], "c": 1}));
        // Counted as it is kept: three letters with a mark each are three.
        assert_eq!(read("u\u{308}u\u{308}u\u{308}").chars().count(), 3);
    }

    #[test]
    fn four_byte_characters_count_as_one() {
        assert_eq!(read::<Sample>("{\"name\":\"𰝟渡镇\"}".as_bytes()).unwrap().name, "𰝟渡镇");
    }
}
