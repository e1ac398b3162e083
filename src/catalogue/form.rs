//! Forms: JSON Schema 2020-12, checked when it is published, compiled once a version, asked of every filing.
//!
//! A form comes from whoever publishes, answers from anybody: neither may hang or crash us. References stay in the
//! document and go round nowhere, patterns run in linear time, sizes and depths are bounded (decision 0020).

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Draft, PatternOptions, Validator, error::ValidationErrorKind, paths::Location};
use serde_json::{Map, Value};

use crate::{
    clock::{Clock, local_day},
    http,
    personal::{CitizenNumber, PhoneNumber},
    problem::FieldFault,
};

/// Bytes of the largest form, and of the largest set of answers.
const MOST_BYTES: usize = 32 * 1024;
/// How deep forms and answers may be nested.
const DEEPEST: usize = 16;
/// Subschemas of a form once every reference is replaced by what it refers to.
const MOST_PARTS: usize = 5_000;
/// Bytes that a compiled pattern may take.
const PATTERN_BYTES: usize = 256 * 1024;
/// Characters of the longest pattern.
const LONGEST_PATTERN: usize = 200;
/// What the counts of a pattern may come to when they are multiplied, as they are when one stands in another.
const MOST_REPEATS: usize = 200;
/// Faults that are told at once.
const MOST_FAULTS: usize = 20;
/// The dialect, where a form names it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Formats that are asserted; another name is a slip of the pen.
const FORMATS: [&str; 6] = ["citizen-no", "date", "date-time", "email", "phone", "time"];
/// Keywords that reach out of the document, or that make another of it.
const FORBIDDEN: [&str; 6] = ["$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveRef", "$vocabulary"];

/// A form that is ready to be asked.
#[derive(Debug)]
pub struct Form(Validator);

impl Form {
    /// Reads a schema.
    ///
    /// # Errors
    /// What is wrong with it, each with its pointer into the schema.
    pub fn compile(schema: &Value, clock: &Clock) -> Result<Self, Vec<FieldFault>> {
        let faults = Survey::of(schema);
        if !faults.is_empty() {
            return Err(faults);
        }
        if let Err(fault) = jsonschema::draft202012::meta::validate(schema) {
            return Err(vec![FieldFault::new(pointer_of(fault.instance_path()), "not_a_schema")]);
        }
        let clock = clock.clone();
        let built = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES))
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_format("citizen-no", move |text| CitizenNumber::read(text, local_day(clock.now())).is_ok())
            .with_format("phone", |text| PhoneNumber::read(text).is_some())
            .build(schema);
        built.map(Self).map_err(|fault| {
            let code =
                if matches!(fault.kind(), ValidationErrorKind::Format { .. }) { "bad_pattern" } else { "not_a_schema" };
            vec![FieldFault::new(pointer_of(fault.instance_path()), code)]
        })
    }

    /// What is wrong with answers: at most twenty fields, each once, with pointers below `at`. What was answered is
    /// nowhere said again.
    #[must_use]
    pub fn faults(&self, answers: &Value, at: &str) -> Vec<FieldFault> {
        let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
        for fault in self.0.iter_errors(answers) {
            let place = format!("{at}{}", pointer_of(fault.instance_path()));
            let (fields, code) = in_fields(&place, fault.kind());
            for field in fields {
                if found.len() >= MOST_FAULTS {
                    break;
                }
                found.entry(field).or_insert(code);
            }
            if found.len() >= MOST_FAULTS {
                break;
            }
        }
        found.into_iter().map(|(pointer, code)| FieldFault::new(pointer, code)).collect()
    }
}

/// Which fields a fault is about, and its stable code.
fn in_fields(place: &str, kind: &ValidationErrorKind) -> (Vec<String>, &'static str) {
    use ValidationErrorKind as Kind;
    let inside = |names: &[String]| names.iter().map(|name| format!("{place}/{}", escaped(name))).collect();
    let code = match kind {
        Kind::Required { property } => {
            return (inside(&[property.as_str().unwrap_or_default().to_owned()]), "required");
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            return (inside(unexpected), "not_allowed");
        }
        Kind::FalseSchema
        | Kind::AdditionalItems { .. }
        | Kind::UnevaluatedItems { .. }
        | Kind::PropertyNames { .. } => "not_allowed",
        Kind::Type { .. } => "wrong_type",
        Kind::Pattern { .. } | Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => "pattern",
        Kind::Format { .. } => "format",
        Kind::Enum { .. } | Kind::Constant { .. } => "not_a_choice",
        Kind::MinLength { .. } => "too_short",
        Kind::MaxLength { .. } => "too_long",
        Kind::Minimum { .. } | Kind::ExclusiveMinimum { .. } => "too_small",
        Kind::Maximum { .. } | Kind::ExclusiveMaximum { .. } => "too_big",
        Kind::MinItems { .. } | Kind::MinProperties { .. } | Kind::Contains => "too_few",
        Kind::MaxItems { .. } | Kind::MaxProperties { .. } => "too_many",
        Kind::UniqueItems => "duplicate",
        _ => "does_not_fit",
    };
    (vec![place.to_owned()], code)
}

fn pointer_of(location: &Location) -> String {
    location.as_str().to_owned()
}

/// A name as a step of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether answers are of a size that anybody fills in, whatever the form says.
#[must_use]
pub fn oversize(answers: &Map<String, Value>, at: &str) -> Option<FieldFault> {
    let value = Value::Object(answers.clone());
    if depth(&value) > DEEPEST {
        return Some(FieldFault::new(at, "too_deep"));
    }
    if longest(&value) > http::MAX_TEXT {
        return Some(FieldFault::new(at, "too_long"));
    }
    (value.to_string().len() > MOST_BYTES).then(|| FieldFault::new(at, "too_long"))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Characters of the longest text in it.
fn longest(value: &Value) -> u64 {
    match value {
        Value::String(text) => u64::try_from(text.chars().count()).unwrap_or(u64::MAX),
        Value::Array(items) => items.iter().map(longest).max().unwrap_or(0),
        Value::Object(members) => members.values().map(longest).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a pattern stays small when its counts are written out: compiling it, and reading a text by it, takes as long as
/// it is then large.
fn is_tame(pattern: &str) -> bool {
    let mut repeats: usize = 1;
    for part in pattern.split('{').skip(1) {
        let Some((counts, _)) = part.split_once('}') else { continue };
        let most = counts.split(',').filter_map(|count| count.trim().parse::<usize>().ok()).max();
        repeats = repeats.saturating_mul(most.unwrap_or(1).max(1));
    }
    repeats <= MOST_REPEATS && pattern.chars().count() <= LONGEST_PATTERN
}

/// The most patterns of a form.
const MOST_PATTERNS: usize = 50;

/// A look over a schema before anything compiles it.
struct Survey<'a> {
    definitions: Option<&'a Map<String, Value>>,
    /// Patterns seen: each may take its share of memory once it is compiled.
    patterns: usize,
    faults: Vec<FieldFault>,
}

impl<'a> Survey<'a> {
    fn of(schema: &'a Value) -> Vec<FieldFault> {
        let Value::Object(members) = schema else { return vec![FieldFault::new("", "wrong_type")] };
        if depth(schema) > DEEPEST {
            return vec![FieldFault::new("", "too_deep")];
        }
        if schema.to_string().len() > MOST_BYTES {
            return vec![FieldFault::new("", "too_long")];
        }
        let mut survey =
            Self { definitions: members.get("$defs").and_then(Value::as_object), patterns: 0, faults: vec![] };
        if members.get("type") != Some(&Value::from("object")) {
            survey.fault("/type", "not_an_object");
        }
        survey.look(schema, "");
        if survey.faults.is_empty() {
            survey.measure(schema);
        }
        survey.faults.truncate(MOST_FAULTS);
        survey.faults
    }

    fn fault(&mut self, pointer: &str, code: &str) {
        self.faults.push(FieldFault::new(pointer, code));
    }

    fn look(&mut self, value: &Value, at: &str) {
        match value {
            Value::Array(items) => {
                for (nth, item) in items.iter().enumerate() {
                    self.look(item, &format!("{at}/{nth}"));
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let here = format!("{at}/{}", escaped(name));
                    match (name.as_str(), member) {
                        ("$schema", Value::String(dialect)) if at.is_empty() && dialect == DIALECT => {}
                        ("$schema", _) => self.fault(&here, "not_allowed_here"),
                        (word, _) if FORBIDDEN.contains(&word) => self.fault(&here, "not_allowed_here"),
                        ("$ref", Value::String(target)) if self.definition(target).is_none() => {
                            self.fault(&here, "unknown");
                        }
                        ("format", Value::String(format)) if !FORMATS.contains(&format.as_str()) => {
                            self.fault(&here, "unknown");
                        }
                        ("pattern", Value::String(pattern)) => {
                            self.patterns += 1;
                            if self.patterns > MOST_PATTERNS || !is_tame(pattern) {
                                self.fault(&here, "bad_pattern");
                            }
                        }
                        ("patternProperties", Value::Object(patterns)) => {
                            self.patterns += patterns.len();
                            if self.patterns > MOST_PATTERNS || !patterns.keys().all(|pattern| is_tame(pattern)) {
                                self.fault(&here, "bad_pattern");
                            }
                            self.look(member, &here);
                        }
                        _ => self.look(member, &here),
                    }
                }
            }
            _ => {}
        }
    }

    /// What a reference names: something directly below `$defs`.
    fn definition(&self, target: &str) -> Option<(&'a str, &'a Value)> {
        let name = target.strip_prefix("#/$defs/")?;
        self.definitions?.iter().find(|(known, _)| escaped(known) == name).map(|(name, value)| (name.as_str(), value))
    }

    /// Counts parts with every reference replaced; a reference that comes back to itself never ends.
    fn measure(&mut self, schema: &'a Value) {
        let (mut known, mut open) = (BTreeMap::new(), BTreeSet::new());
        match self.parts(schema, &mut known, &mut open) {
            None => self.fault("/$defs", "never_ends"),
            Some(parts) if parts > MOST_PARTS => self.fault("", "too_long"),
            Some(_) => {}
        }
    }

    fn parts(
        &self,
        value: &'a Value,
        known: &mut BTreeMap<&'a str, usize>,
        open: &mut BTreeSet<&'a str>,
    ) -> Option<usize> {
        match value {
            Value::Array(items) => {
                items.iter().try_fold(1, |sum: usize, item| Some(sum.saturating_add(self.parts(item, known, open)?)))
            }
            Value::Object(members) => {
                let mut sum: usize = 1;
                for (name, member) in members {
                    let target = member.as_str().filter(|_| name == "$ref").and_then(|target| self.definition(target));
                    let more = match target {
                        None => self.parts(member, known, open)?,
                        Some((name, _)) if known.contains_key(name) => known.get(name).copied().unwrap_or(0),
                        Some((name, _)) if !open.insert(name) => return None,
                        Some((name, definition)) => {
                            let parts = self.parts(definition, known, open)?;
                            open.remove(name);
                            known.insert(name, parts);
                            parts
                        }
                    };
                    sum = sum.saturating_add(more);
                }
                Some(sum)
            }
            _ => Some(1),
        }
    }
}

#[cfg(test)]
mod tests;
