//! Texts that are read aloud: short sentences, as one says it across a table. What nobody wrote is put together from the
//! fields, so that it never says something else than they do.

use std::fmt::Write;

use super::{
    item::{CatalogueItem, ItemKind},
    material::{Material, MaterialKind},
    questions::{Outcome, Question},
};

/// Characters of the longest sentence that can be listened to.
pub(super) const LONGEST: usize = 40;

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['。', '！', '？', '；', '!', '?', '\n']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

/// Whether a text of at most `most` characters can be listened to.
pub(super) fn is_easy(text: &str, most: usize) -> bool {
    let mut any = false;
    let short = sentences(text).all(|sentence| {
        any = true;
        sentence.chars().count() <= LONGEST
    });
    any && short && text.chars().count() <= most
}

/// A name without what stands in brackets behind it, cut where it would not end.
fn spoken(name: &str) -> String {
    let before = name.split(['(', '（']).next().unwrap_or(name).trim();
    let before = if before.is_empty() { name.trim() } else { before };
    before.chars().take(LONGEST - 16).collect()
}

/// What is said of an item.
pub(super) fn of_item(item: &CatalogueItem) -> String {
    if let Some(written) = &item.easy_text {
        return written.clone();
    }
    let mut said = format!("这件事叫{}。", spoken(&item.name));
    let asks = item.kind == ItemKind::Voice;
    said.push_str(match item.handled_at.as_str() {
        _ if asks => "跟村里说一声，村里替您去问。",
        "village" => "在村里就能交材料。",
        "township" => "材料交到镇上，村里可以代您跑。",
        "county" => "材料交到县里，村里可以代您跑。",
        _ => "村里可以代您跑。",
    });
    let needed: Vec<&Material> = item.materials.iter().filter(|material| !material.obtained_by_us).collect();
    match needed.len() {
        0 => said.push_str("什么材料都不用带。"),
        1 => {}
        count => {
            let _ = write!(said, "一共要{count}样东西。");
        }
    }
    for material in needed {
        said.push_str(&of_material(material));
    }
    let about = if item.estimated.iter().any(|field| field == "promised_days") { "大约" } else { "" };
    match item.promised_days {
        None => {}
        Some(0) => said.push_str("当天就能办好。"),
        Some(days) => {
            let _ = write!(said, "{about}{days}个工作日能办好。");
        }
    }
    if item.fee == "0" {
        said.push_str("不收费。");
    } else if item.fee.chars().count() <= LONGEST - 5 {
        let _ = write!(said, "收费：{}。", item.fee.replace([';', '；', '。'], "，"));
    }
    said
}

/// What is said of a paper.
pub(super) fn of_material(material: &Material) -> String {
    if let Some(written) = &material.easy_text {
        return written.clone();
    }
    let name = spoken(&material.name);
    if material.obtained_by_us {
        return format!("{name}不用带，我们去查。");
    }
    let what = match material.kind {
        MaterialKind::Form => format!("{name}，到窗口填"),
        MaterialKind::Statement => format!("{name}，可以口头说"),
        MaterialKind::Copy => format!("{name}，复印好"),
        MaterialKind::Original | MaterialKind::Photo | MaterialKind::Other => format!("带上{name}"),
    };
    let many = if material.copies > 1 { format!("，要{}份", material.copies) } else { String::new() };
    let maybe = if material.required_when.is_some() { "，有就带" } else { "" };
    format!("{what}{many}{maybe}。")
}

/// What is said of a question.
pub(super) fn of_question(question: &Question) -> String {
    question.easy_text.clone().unwrap_or_else(|| question.text.clone())
}

/// What is said at the end.
pub(super) fn of_outcome(outcome: &Outcome, other: Option<&str>) -> String {
    match outcome {
        Outcome::Apply {} => "可以办。请把材料带齐再来。".to_owned(),
        Outcome::NeedNotApply { text } | Outcome::NotEntitled { text, .. } => text.clone(),
        Outcome::OtherItem { code } => format!("您要办的是{}。", spoken(other.unwrap_or(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_easy_when_each_of_its_sentences_is_short() {
        assert!(is_easy("带身份证。带户口簿。", 100));
        assert!(is_easy(&"很".repeat(40), 100));
        assert!(!is_easy(&"很".repeat(41), 100));
        assert!(!is_easy("。。", 100));
        assert!(!is_easy("带身份证。带户口簿。", 5));
    }

    #[test]
    fn what_is_put_together_can_be_listened_to() {
        for item in &super::super::import::tests::real() {
            let said = of_item(item);
            let bare = of_item(&CatalogueItem { easy_text: None, ..item.clone() });
            assert!(is_easy(&said, 600) && is_easy(&bare, 600), "{}: {said} {bare}", item.item_code);
            for material in &item.materials {
                assert!(is_easy(&of_material(material), 200), "{}", material.name);
            }
        }
    }
}
