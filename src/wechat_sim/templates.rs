//! Message templates and the rules of their values.
//!
//! They follow 订阅消息, 发送订阅消息: the letters of a key say what its value may be. Next: [`super::subscriptions`], which
//! sends.

use serde_json::{Map, Value};

use crate::config::{SimTemplate, SimTemplateKind};

impl SimTemplate {
    pub(super) fn is_long_term(&self) -> bool {
        self.kind == SimTemplateKind::LongTerm
    }

    /// The words of the refusal 47003, when a value breaks the rule of its key.
    pub(super) fn check(&self, data: &Map<String, Value>) -> Result<(), String> {
        for key in &self.fields {
            let text = match data.get(key).and_then(|field| field.get("value")) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            };
            if text.is_empty() {
                return Err(format!("argument invalid! data.{key}.value is emtpy"));
            }
            let allowed = self.values.get(key);
            if !fits(key, &text) || allowed.is_some_and(|values| !values.contains(&text)) {
                return Err(format!("argument invalid! data.{key}.value invalid"));
            }
        }
        Ok(())
    }
}

/// Whether the letters of a key are those of a kind of value.
pub(crate) fn is_key(key: &str) -> bool {
    let kind = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
    kind.len() < key.len() && rule(kind).is_some()
}

/// Whether a value keeps the rule of its key.
pub(crate) fn fits(key: &str, text: &str) -> bool {
    let kind = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
    !text.chars().any(char::is_control) && rule(kind).is_some_and(|rule| rule(text))
}

type Rule = fn(&str) -> bool;

fn rule(kind: &str) -> Option<Rule> {
    Some(match kind {
        "thing" => |text| text.chars().count() <= 20,
        "number" => |text| text.len() <= 32 && is_decimal(text),
        "letter" => |text| text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
        "symbol" => |text| text.chars().count() <= 5 && !text.chars().any(char::is_alphanumeric),
        "character_string" => |text| text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "time" => is_time_range,
        "date" => is_date_range,
        "amount" => is_amount,
        "phone_number" => |text| text.len() <= 17 && text.bytes().all(|byte| b"0123456789+-() ".contains(&byte)),
        "car_number" => is_car_number,
        "name" => is_name,
        "phrase" => |text| text.chars().count() <= 5 && text.chars().all(is_han),
        "enum_string" => |_| true,
        _ => return None,
    })
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2ffff}' | '〇')
}

fn is_decimal(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    [whole, part].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One sign of a currency, ten digits, perhaps 元 at the end.
fn is_amount(text: &str) -> bool {
    let text = text.strip_suffix('元').unwrap_or(text);
    let number = text.trim_start_matches(['¥', '￥', '$', '€', '£', '-', '+']);
    text.chars().count() - number.chars().count() <= 1
        && is_decimal(number)
        && number.bytes().filter(u8::is_ascii_digit).count() <= 10
}

/// The first and the last may be Han.
fn is_car_number(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let last = letters.len().saturating_sub(1);
    let fits =
        |(at, letter): (usize, &char)| letter.is_ascii_alphanumeric() || ((at == 0 || at == last) && is_han(*letter));
    letters.len() <= 8 && letters.iter().enumerate().all(fits)
}

/// Ten with Han among them, twenty without.
fn is_name(text: &str) -> bool {
    let most = if text.chars().any(is_han) { 10 } else { 20 };
    text.chars().count() <= most && !text.chars().any(|letter| letter.is_ascii_digit())
}

/// `8:30`, `15:01:59`, a date before it if one likes, two of them joined by `~`.
fn is_time_range(text: &str) -> bool {
    ranges(text, |part| {
        let (date, time) = part.rsplit_once(' ').map_or((None, part), |(date, time)| (Some(date), time));
        is_time(time) && date.is_none_or(is_date)
    })
}

fn is_date_range(text: &str) -> bool {
    ranges(text, |part| match part.rsplit_once(' ') {
        Some((date, time)) => is_date(date) && is_time(time),
        None => is_date(part),
    })
}

fn ranges(text: &str, fits: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = text.split('~').map(str::trim).collect();
    parts.len() <= 2 && parts.into_iter().all(fits)
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |part: &&str, limit: u32| (1..=2).contains(&part.len()) && number(part).is_some_and(|it| it < limit);
    match parts.as_slice() {
        [hour, minute] => below(hour, 24) && below(minute, 60),
        [hour, minute, second] => below(hour, 24) && below(minute, 60) && below(second, 60),
        _ => false,
    }
}

/// `2019年10月1日`, `2019年10月`, `10月1日`, or with `-`, `/` or `.` between.
fn is_date(text: &str) -> bool {
    let plain = text.replace(['年', '月'], "-").replace('日', "");
    let parts: Vec<&str> = plain.trim_end_matches('-').split(['-', '/', '.']).collect();
    let year = |part: &str| part.len() == 4 && number(part).is_some();
    let month = |part: &str| number(part).is_some_and(|it| (1..=12).contains(&it));
    let day = |part: &str| number(part).is_some_and(|it| (1..=31).contains(&it));
    match parts.as_slice() {
        [a, b, c] => year(a) && month(b) && day(c),
        [a, b] => (year(a) && month(b)) || (month(a) && day(b)),
        _ => false,
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_letters_of_their_key() {
        let good = [
            ("thing1", "低保申请的进度，请查看（第2次）"),
            ("number2", "12.5"),
            ("letter1", "abc"),
            ("symbol1", "★★★"),
            ("character_string3", "DZ-2026-000123"),
            ("time4", "15:01"),
            ("time4", "2019年10月1日 15:01"),
            ("time4", "2026-11-24 09:00~2026-11-24 12:00:00"),
            ("date5", "2019年10月1日"),
            ("date5", "2026-11-24"),
            ("date5", "10月1日~10月7日"),
            ("date5", "2026.11 8:30"),
            ("amount1", "¥100.50元"),
            ("phone_number6", "+86-0766-66888866"),
            ("car_number1", "粤A8Z888挂"),
            ("name1", "欧阳老先生"),
            ("name1", "John Smith"),
            ("phrase16", "已受理"),
            ("enum_string2", "随便"),
        ];
        for (key, text) in good {
            assert!(is_key(key) && fits(key, text), "{key} {text}");
        }
    }

    #[test]
    fn values_that_break_the_rule_do_not_fit() {
        let long = "村".repeat(21);
        let bad = [
            ("thing1", long.as_str()),
            ("thing1", "一\n二"),
            ("number2", "1a"),
            ("letter1", "a1"),
            ("symbol1", "★a"),
            ("character_string3", "编号1"),
            ("time4", "25:00"),
            ("time4", "2019年10月1日"),
            ("date5", "2019年13月1日"),
            ("date5", "明天"),
            ("amount1", "¥¥1"),
            ("amount1", "12345678901"),
            ("phone_number6", "0766-66888866-0000001"),
            ("car_number1", "粤甲12345"),
            ("name1", "一二三四五六七八九十甲"),
            ("name1", "3号"),
            ("phrase16", "已受理1"),
            ("phrase16", "一二三四五六"),
        ];
        for (key, text) in bad {
            assert!(!fits(key, text), "{key} {text}");
        }
        assert!(!is_key("thing") && !is_key("const1"));
    }
}
