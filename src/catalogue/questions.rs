//! Questions before one comes (预检): a small tree that ends in "bring it" or "you need not apply". Pure; nothing is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::speech;
use crate::problem::FieldFault;

/// A question with its answers. The first of a list is asked first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// 1 to 40 of `a-z`, `0-9`, `_`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub id: String,
    /// As it is read.
    #[schema(min_length = 1, max_length = 200)]
    pub text: String,
    /// For reading aloud: sentences of at most 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub easy_text: Option<String>,
    /// What can be answered.
    #[schema(min_items = 1, max_items = 12)]
    pub answers: Vec<PossibleAnswer>,
}

/// An answer, and what follows: another question or the end, one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PossibleAnswer {
    /// As it is read.
    #[schema(min_length = 1, max_length = 80)]
    pub label: String,
    /// What is sent: 1 to 40 of `a-z`, `0-9`, `_`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub value: String,
    /// Id of the question that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// Where questions end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It is worth coming.
    Apply {},
    /// 不用办.
    NeedNotApply {
        /// Why, in short sentences.
        #[schema(min_length = 1, max_length = 300)]
        text: String,
    },
    /// It is another item that is meant.
    OtherItem {
        /// Its code.
        #[schema(min_length = 1, max_length = 32)]
        code: String,
    },
    /// 不符合条件.
    NotEntitled {
        /// Why, in short sentences.
        #[schema(min_length = 1, max_length = 300)]
        text: String,
        /// Which rule says so.
        #[schema(min_length = 1, max_length = 200)]
        law: String,
    },
}

/// Where somebody stands who has answered so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// This is asked next.
    Asked(&'a Question),
    /// It ends here.
    Ended(Outcome),
}

/// Follows the answers from the first question on; answers to questions that are not on this path count for nothing.
///
/// # Errors
/// Ids and values that there are not.
pub(super) fn follow<'a>(
    questions: &'a [Question],
    answers: &BTreeMap<String, String>,
) -> Result<Standing<'a>, Vec<FieldFault>> {
    let of = |id: &str| questions.iter().find(|question| question.id == id);
    let faults: Vec<FieldFault> = answers
        .iter()
        .filter(|(id, value)| {
            of(id).is_none_or(|question| question.answers.iter().all(|answer| answer.value != **value))
        })
        .map(|(id, _)| FieldFault::new(format!("/answers/{}", super::form::escaped(id)), "unknown"))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let Some(mut question) = questions.first() else { return Ok(Standing::Ended(Outcome::Apply {})) };
    // Published trees have no loops; the bound is for one that slipped in by another way.
    for _ in 0..=questions.len() {
        let Some(given) = answers.get(&question.id) else { return Ok(Standing::Asked(question)) };
        let Some(answer) = question.answers.iter().find(|answer| answer.value == *given) else { break };
        if let Some(outcome) = &answer.outcome {
            return Ok(Standing::Ended(outcome.clone()));
        }
        let Some(next) = answer.next.as_deref().and_then(of) else { break };
        question = next;
    }
    Ok(Standing::Ended(Outcome::Apply {}))
}

/// What is wrong with a tree; every path must end.
pub(super) fn check(questions: &[Question], at: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut fault = |pointer: String, code: &str| faults.push(FieldFault::new(pointer, code));
    if questions.len() > 40 {
        fault(at.to_owned(), "too_many");
        return faults;
    }
    let mut seen = BTreeSet::new();
    for (number, question) in questions.iter().enumerate() {
        let at = format!("{at}/{number}");
        if !is_word(&question.id) {
            fault(format!("{at}/id"), "format");
        }
        if !seen.insert(question.id.as_str()) {
            fault(format!("{at}/id"), "duplicate");
        }
        if !(1..=200).contains(&question.text.chars().count()) {
            fault(format!("{at}/text"), "length");
        }
        if question.easy_text.as_deref().is_some_and(|text| !speech::is_easy(text, 200)) {
            fault(format!("{at}/easy_text"), "not_easy");
        }
        if !(1..=12).contains(&question.answers.len()) {
            fault(format!("{at}/answers"), "length");
        }
        let mut values = BTreeSet::new();
        for (nth, answer) in question.answers.iter().enumerate() {
            let at = format!("{at}/answers/{nth}");
            if !(1..=80).contains(&answer.label.chars().count()) {
                fault(format!("{at}/label"), "length");
            }
            if !is_word(&answer.value) {
                fault(format!("{at}/value"), "format");
            }
            if !values.insert(answer.value.as_str()) {
                fault(format!("{at}/value"), "duplicate");
            }
            match (&answer.next, &answer.outcome) {
                (None, None) => fault(at, "never_ends"),
                (Some(_), Some(_)) => fault(format!("{at}/outcome"), "not_allowed_here"),
                (Some(next), None) if !questions.iter().any(|other| other.id == *next) => {
                    fault(format!("{at}/next"), "unknown");
                }
                (None, Some(outcome)) => {
                    if let Some((field, code)) = wrong_in(outcome) {
                        fault(format!("{at}/outcome/{field}"), code);
                    }
                }
                _ => {}
            }
        }
    }
    if faults.is_empty() {
        faults.extend(ways(questions, at));
    }
    faults
}

fn wrong_in(outcome: &Outcome) -> Option<(&'static str, &'static str)> {
    match outcome {
        Outcome::Apply {} => None,
        Outcome::NeedNotApply { text } => (!speech::is_easy(text, 300)).then_some(("text", "not_easy")),
        Outcome::OtherItem { code } => (!(1..=32).contains(&code.len())).then_some(("code", "length")),
        Outcome::NotEntitled { text, .. } if !speech::is_easy(text, 300) => Some(("text", "not_easy")),
        Outcome::NotEntitled { law, .. } => (!(1..=200).contains(&law.chars().count())).then_some(("law", "length")),
    }
}

/// Loops, and questions that nobody is ever asked.
fn ways(questions: &[Question], at: &str) -> Vec<FieldFault> {
    let number = |id: &str| questions.iter().position(|question| question.id == id);
    let follows = |question: &Question| -> Vec<usize> {
        question.answers.iter().filter_map(|answer| answer.next.as_deref().and_then(number)).collect()
    };
    // Whoever only leads to questions that are known to end, ends; what is left over when nothing is added goes round.
    let mut ending = BTreeSet::new();
    loop {
        let before = ending.len();
        for (nth, question) in questions.iter().enumerate() {
            if follows(question).iter().all(|next| ending.contains(next)) {
                ending.insert(nth);
            }
        }
        if ending.len() == before {
            break;
        }
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<usize> = if questions.is_empty() { vec![] } else { vec![0] };
    while let Some(nth) = open.pop() {
        if reached.insert(nth) {
            open.extend(questions.get(nth).map(&follows).unwrap_or_default());
        }
    }
    let mut faults = Vec::new();
    for nth in 0..questions.len() {
        if !ending.contains(&nth) {
            faults.push(FieldFault::new(format!("{at}/{nth}"), "never_ends"));
        } else if !reached.contains(&nth) {
            faults.push(FieldFault::new(format!("{at}/{nth}"), "never_asked"));
        }
    }
    faults
}

/// A plain word: what is sent and stored.
pub(super) fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tree(value: Value) -> Vec<Question> {
        serde_json::from_value(value).unwrap()
    }

    fn told(questions: &[Question]) -> Vec<(String, String)> {
        check(questions, "/pre_check").into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    fn good() -> Value {
        json!([
            {"id": "lives_here", "text": "户口在本村吗？", "answers": [
                {"label": "在", "value": "yes", "next": "income"},
                {"label": "不在", "value": "no", "outcome": {"kind": "not_entitled", "text": "请回户口所在地办。", "law": "某办法第一条"}},
            ]},
            {"id": "income", "text": "已经在领了吗？", "answers": [
                {"label": "在领", "value": "yes", "outcome": {"kind": "need_not_apply", "text": "不用再办。"}},
                {"label": "没有", "value": "no", "outcome": {"kind": "apply"}},
            ]},
        ])
    }

    #[test]
    fn answers_lead_to_the_next_question_or_to_an_end() {
        let questions = tree(good());
        assert_eq!(told(&questions), []);
        let follow = |answers: Value| {
            let answers: BTreeMap<String, String> = serde_json::from_value(answers).unwrap();
            follow(&questions, &answers)
        };
        assert_eq!(follow(json!({})).unwrap(), Standing::Asked(&questions[0]));
        assert_eq!(follow(json!({"lives_here": "yes"})).unwrap(), Standing::Asked(&questions[1]));
        // Of an answer to what is not asked on this way nothing follows.
        assert_eq!(follow(json!({"income": "no"})).unwrap(), Standing::Asked(&questions[0]));
        let ended = follow(json!({"lives_here": "yes", "income": "yes"})).unwrap();
        assert_eq!(ended, Standing::Ended(Outcome::NeedNotApply { text: "不用再办。".to_owned() }));
        assert_eq!(follow(json!({"lives_here": "maybe", "x/y": "1"})).unwrap_err().len(), 2);
        assert_eq!(super::follow(&[], &BTreeMap::new()).unwrap(), Standing::Ended(Outcome::Apply {}));
    }

    #[test]
    fn a_tree_that_does_not_end_is_refused() {
        let mut round = good();
        round[1]["answers"][1] = json!({"label": "没有", "value": "no", "next": "lives_here"});
        assert_eq!(
            told(&tree(round)),
            [
                ("/pre_check/0".to_owned(), "never_ends".to_owned()),
                ("/pre_check/1".to_owned(), "never_ends".to_owned())
            ]
        );
        let mut nowhere = good();
        nowhere[0]["answers"][0]["next"] = json!("nowhere");
        assert_eq!(told(&tree(nowhere)), [("/pre_check/0/answers/0/next".to_owned(), "unknown".to_owned())]);
        let mut open = good();
        open[1]["answers"][0] = json!({"label": "在领", "value": "yes"});
        assert_eq!(told(&tree(open)), [("/pre_check/1/answers/0".to_owned(), "never_ends".to_owned())]);
        let mut alone = good();
        alone[0]["answers"][0] = json!({"label": "在", "value": "yes", "outcome": {"kind": "apply"}});
        assert_eq!(told(&tree(alone)), [("/pre_check/1".to_owned(), "never_asked".to_owned())]);
        let mut long = good();
        long[1]["answers"][0]["outcome"]["text"] = json!("很".repeat(41));
        assert_eq!(told(&tree(long)), [("/pre_check/1/answers/0/outcome/text".to_owned(), "not_easy".to_owned())]);
    }
}
