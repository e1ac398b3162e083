//! One way to write what is frozen, and its hash.
//!
//! Objects have their members in the order of their names, nothing stands between signs, numbers are whole, texts are
//! escaped no more than JSON demands: the form of RFC 8785 for what we have. The hash is SHA-256 over the content, a line
//! feed, and each line of the list with a line feed after it; the export `jsonl` gives exactly these bytes. Pure.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{crypto::hex, problem::Problem};

/// A value in its one form.
pub(super) fn text(value: &impl Serialize) -> Result<String, Problem> {
    let mut out = String::new();
    write(&serde_json::to_value(value).map_err(Problem::unexpected)?, &mut out);
    Ok(out)
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            // By UTF-16 units, as the RFC says; for our names that is the order of their bytes.
            sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// The hash of a content and its lines, each in its one form.
pub(super) fn digest<'a>(content: &'a str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in [content].into_iter().chain(lines) {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

/// Something that is another now: where, what was frozen, what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) pointer: String,
    pub(super) frozen: Value,
    pub(super) now: Value,
}

/// What differs, by JSON pointer, until there are `most`.
pub(super) fn differences(pointer: &str, frozen: &Value, now: &Value, most: usize, found: &mut Vec<Difference>) {
    if frozen == now || found.len() >= most {
        return;
    }
    match (frozen, now) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let of = |members: &serde_json::Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                differences(&below, &of(one), &of(other), most, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for at in 0..one.len().max(other.len()) {
                let of = |items: &[Value]| items.get(at).cloned().unwrap_or_default();
                differences(&format!("{pointer}/{at}"), &of(one), &of(other), most, found);
            }
        }
        _ => found.push(Difference { pointer: pointer.to_owned(), frozen: frozen.clone(), now: now.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_is_written_in_one_way() {
        let value = json!({"b": [1, null, {"z": true, "a": "é\n\u{1}/\""}], "a": -3, "B": {}, "词": "𰟝"});
        let expected = "{\"B\":{},\"a\":-3,\"b\":[1,null,{\"a\":\"é\\n\\u0001/\\\"\",\"z\":true}],\"词\":\"𰟝\"}";
        assert_eq!(text(&value).unwrap(), expected);
    }

    #[test]
    fn the_hash_is_that_of_the_lines_as_a_file() {
        let whole = hex(&Sha256::digest(b"{}\n{\"a\":1}\n"));
        assert_eq!(digest("{}", ["{\"a\":1}"]), whole);
        assert_ne!(digest("{}", []), whole);
    }

    #[test]
    fn what_differs_is_named() {
        let mut found = Vec::new();
        differences("", &json!({"a": 1, "b/c": [1, 2]}), &json!({"a": 1, "b/c": [1, 3, 4]}), 10, &mut found);
        let said: Vec<(&str, &Value, &Value)> =
            found.iter().map(|one| (one.pointer.as_str(), &one.frozen, &one.now)).collect();
        assert_eq!(said, [("/b~1c/1", &json!(2), &json!(3)), ("/b~1c/2", &json!(null), &json!(4))]);
    }
}
