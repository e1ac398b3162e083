//! The OpenAPI document and the table of problem codes: complete, consistent, and changed only on purpose.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shuoshi::problem::Code;

use super::operations;

/// A change here is a change of the contract: look at it, then accept it with `INSTA_UPDATE=always tests/run contract`.
#[test]
fn the_document_changes_only_on_purpose() {
    insta::assert_json_snapshot!("openapi", shuoshi::openapi::document());
}

#[test]
fn problem_codes_change_only_on_purpose() {
    let codes: BTreeMap<&str, u16> = Code::ALL.iter().map(|code| (code.slug(), code.status().as_u16())).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "a slug stands there twice");
    insta::assert_json_snapshot!("problem_codes", codes);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = shuoshi::openapi::document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    let dangling: Vec<_> =
        found.iter().filter(|target| document.pointer(target.trim_start_matches('#')).is_none()).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_success() {
    /// Names that are no verb and noun, because the world knows them so.
    const KNOWN: [&str; 2] = ["healthz", "readyz"];
    let mut seen = BTreeSet::new();
    for operation in operations() {
        let id = operation.id.as_str();
        assert!(seen.insert(operation.id.clone()), "{id} stands there twice");
        assert!(id.contains('_') || KNOWN.contains(&id), "{id} is no verb_noun");
        let responses = operation.described["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{id} never succeeds");
    }
}

#[test]
fn every_operation_is_named_after_its_handler() {
    let source = super::modules::sources().into_iter().map(|(_, text)| text).collect::<String>();
    for operation in operations() {
        let handler = format!("pub async fn {}(", operation.id);
        assert!(source.contains(&handler), "no handler is called {}", operation.id);
    }
}
