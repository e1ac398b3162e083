//! The XML of the message push, read into the same values as its JSON, and written.
//!
//! XML from outside is a way into a machine, so a document type is refused, entities other than the five of XML itself
//! are too, and depth has an end. Next: [`super::Inbox::receive`].

use quick_xml::{Reader, escape::resolve_xml_entity, events::Event};
use serde_json::{Map, Value};

const DEPTH: usize = 16;

/// An element being read.
struct Open {
    name: String,
    text: String,
    parts: Map<String, Value>,
}

impl Open {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), text: String::new(), parts: Map::new() }
    }

    /// An element of parts is an object, one of text a string; what stands between parts is layout.
    fn close(self) -> (String, Value) {
        let value = if self.parts.is_empty() { Value::String(self.text) } else { Value::Object(self.parts) };
        (self.name, value)
    }

    /// Elements that repeat become an array.
    fn take(&mut self, name: String, value: Value) {
        match self.parts.get_mut(&name) {
            None => {
                self.parts.insert(name, value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

/// The content of the root element `<xml>`, or nothing when the text is not such a document.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().ok()?;
        match event {
            Event::Start(tag) if root.is_none() && open.len() < DEPTH => open.push(Open::new(tag.name().as_ref())),
            Event::Empty(tag) if root.is_none() => {
                let (name, value) = Open::new(tag.name().as_ref()).close();
                open.last_mut()?.take(name, value);
            }
            Event::End(_) => {
                let (name, value) = open.pop()?.close();
                match open.last_mut() {
                    Some(parent) => parent.take(name, value),
                    None if name == "xml" => root = Some(value),
                    None => return None,
                }
            }
            Event::Text(part) => put(&mut open, &part.xml10_content())?,
            Event::CData(part) => put(&mut open, &part.into_inner())?,
            Event::GeneralRef(part) => {
                let letter = part.resolve_char_ref().ok()?.map(String::from);
                let meant = letter.or_else(|| resolve_xml_entity(&part.into_inner()).map(str::to_owned))?;
                put(&mut open, &meant)?;
            }
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof => return if open.is_empty() { root } else { None },
            _ => return None,
        }
    }
}

/// Outside the root there is only white space.
fn put(open: &mut [Open], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

/// `text` where no character of it means anything to XML.
pub(super) fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// An object as `<xml>`, as WeChat writes it: strings in CDATA, numbers bare, an array as its elements repeated.
pub(crate) fn write(message: &Map<String, Value>) -> String {
    let mut text = String::from("<xml>");
    write_parts(&mut text, message);
    text.push_str("</xml>");
    text
}

fn write_parts(out: &mut String, parts: &Map<String, Value>) {
    for (name, value) in parts {
        match value {
            Value::Array(items) => items.iter().for_each(|item| write_element(out, name, item)),
            value => write_element(out, name, value),
        }
    }
}

fn write_element(out: &mut String, name: &str, value: &Value) {
    // A name that is none would break the document.
    let name: String = name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    out.extend(["<", &name, ">"]);
    match value {
        Value::Object(parts) => write_parts(out, parts),
        Value::String(text) => out.push_str(&cdata(text)),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    out.extend(["</", &name, ">"]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_strings_objects_and_arrays() {
        let text = "<?xml version=\"1.0\"?>\n<xml>\n <A><![CDATA[<b>&amp;]]></A><N>1</N><T>a&lt;&#x4e61;</T><E/>\n\
                    <L><I>1</I><I>2</I></L></xml>\n";
        let expected = json!({ "A": "<b>&amp;", "N": "1", "T": "a<乡", "E": "", "L": { "I": ["1", "2"] } });
        assert_eq!(read(text), Some(expected));
    }

    #[test]
    fn doctypes_entities_depth_and_broken_documents_are_refused() {
        let bomb = "<!DOCTYPE xml [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><xml><T>&b;</T></xml>";
        let external = "<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><xml><T>&a;</T></xml>";
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(40), "</a>".repeat(40));
        for text in [
            bomb,
            external,
            &deep,
            "<xml><T>&b;</T></xml>",
            "<xml><T>&#0;</T></xml>",
            "<xml>",
            "<xml></yml>",
            "<yml></yml>",
            "<xml></xml><xml></xml>",
            "<xml></xml>x",
            "<?php x ?><xml></xml>",
            "x<xml></xml>",
            "<xml/>",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let message = json!({ "T": "a]]>b&<", "Y": "乡", "L": [{ "I": "1" }, { "I": "2" }], "O": { "P": "q" } });
        assert_eq!(read(&write(message.as_object().unwrap())), Some(message));
        let odd = json!({ "a b>": 1, "B": null });
        assert_eq!(write(odd.as_object().unwrap()), "<xml><B></B><ab>1</ab></xml>");
    }
}
