//! What the values of a message may be, by the letters of their keys: `thing1`, `time2`, `phrase3`.
//!
//! One value that breaks its rule loses the whole message (47003), so [`fit`] makes of any text one that keeps the rule:
//! it takes out line breaks and control characters, leaves out what the kind does not hold, and cuts what is too long.
//! What nothing can be made of, a time that is none or a word that no list has, is [`Unfit`]. Pure. Next:
//! [`super::SubscribeMessage`].

use chrono::{DateTime, Utc};

use crate::clock::china;

/// No value could be made for this field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing fits the field {0}")]
pub struct Unfit(pub String);

/// The value for a field, made of `text`; where it has nothing for it, a dash or the time `at`.
///
/// # Errors
/// [`Unfit`] for an unknown kind, and for an `enum_string` without a text.
pub fn fit(key: &str, text: &str, at: DateTime<Utc>) -> Result<String, Unfit> {
    let text = clean(text);
    let kind = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let value = match kind {
        "thing" => or(cut(&text, 20), "—"),
        "number" => or(decimal(&text, 32), "0"),
        "letter" => or(keep(&text, 32, |letter| letter.is_ascii_alphabetic()), "A"),
        "symbol" => or(keep(&text, 5, is_symbol), "-"),
        "character_string" => or(keep(&text, 32, |letter| letter.is_ascii_graphic()), "-"),
        "time" => moment(&text).unwrap_or_else(|| written(at, "%Y年%-m月%-d日 %H:%M")),
        "date" => day(&text).unwrap_or_else(|| written(at, "%Y年%-m月%-d日")),
        "amount" => amount(&text),
        "phone_number" => or(keep(&text, 17, |letter| "0123456789+-".contains(letter)), "-"),
        "car_number" => car_number(&text),
        "name" => or(name(&text), "村民"),
        "phrase" => or(keep(&text, 5, is_han), "新消息"),
        "enum_string" if !text.is_empty() => text,
        _ => return Err(Unfit(key.to_owned())),
    };
    Ok(value)
}

/// One line without what no screen shows.
fn clean(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

/// At most so many characters, the last a sign that some are missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn keep(text: &str, most: usize, fits: impl Fn(char) -> bool) -> String {
    text.chars().filter(|letter| fits(*letter)).take(most).collect()
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2ffff}' | '〇')
}

fn is_symbol(letter: char) -> bool {
    !letter.is_alphanumeric() && !letter.is_whitespace()
}

/// Digits with at most one point between them.
fn decimal(text: &str, most: usize) -> String {
    let mut parts = text.split('.').map(|part| keep(part, most, |letter| letter.is_ascii_digit()));
    let whole = parts.next().unwrap_or_default();
    match parts.next() {
        Some(part) if !whole.is_empty() && !part.is_empty() && whole.len() + 1 + part.len() <= most => {
            format!("{whole}.{part}")
        }
        _ => whole,
    }
}

fn amount(text: &str) -> String {
    let number = decimal(text, 10);
    let number = if number.is_empty() || number.bytes().filter(u8::is_ascii_digit).count() > 10 {
        keep(&or(number, "0"), 10, |letter| letter.is_ascii_digit())
    } else {
        number
    };
    format!("{number}元")
}

/// Han at the ends only.
fn car_number(text: &str) -> String {
    let letters: Vec<char> =
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || is_han(*letter)).take(8).collect();
    let last = letters.len().saturating_sub(1);
    let fits = |(at, letter): &(usize, char)| letter.is_ascii_alphanumeric() || *at == 0 || *at == last;
    or(letters.into_iter().enumerate().filter(fits).map(|(_, letter)| letter).collect(), "无")
}

/// Ten characters with Han among them, twenty without; no digits.
fn name(text: &str) -> String {
    let letters = keep(text, usize::MAX, |letter| !letter.is_numeric());
    let most = if letters.chars().take(20).any(is_han) { 10 } else { 20 };
    cut(letters.trim(), most)
}

fn written(at: DateTime<Utc>, format: &str) -> String {
    at.with_timezone(&china()).format(format).to_string()
}

/// `15:01`, `2019年10月1日 15:01`, two of them joined by `~`.
fn moment(text: &str) -> Option<String> {
    ranges(text, |part| {
        let (date, time) = part.rsplit_once(' ').map_or((None, part), |(date, time)| (Some(date), time));
        is_time(time) && date.is_none_or(is_date)
    })
}

fn day(text: &str) -> Option<String> {
    ranges(text, |part| match part.rsplit_once(' ') {
        Some((date, time)) => is_date(date) && is_time(time),
        None => is_date(part),
    })
}

fn ranges(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let parts: Vec<&str> = text.split('~').map(str::trim).collect();
    (parts.len() <= 2 && parts.iter().all(|part| fits(part))).then(|| parts.join("~"))
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let within = |part: Option<&&str>, limit: u32| {
        part.is_none_or(|part| (1..=2).contains(&part.len()) && number(part).is_some_and(|it| it < limit))
    };
    (2..=3).contains(&parts.len()) && within(parts.first(), 24) && within(parts.get(1), 60) && within(parts.get(2), 60)
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
    use proptest::prelude::*;

    use super::*;
    use crate::wechat_sim::fits;

    fn at() -> DateTime<Utc> {
        "2026-11-23T02:00:00Z".parse().unwrap()
    }

    const KINDS: [&str; 13] = [
        "thing",
        "number",
        "letter",
        "symbol",
        "character_string",
        "time",
        "date",
        "amount",
        "phone_number",
        "car_number",
        "name",
        "phrase",
        "enum_string",
    ];

    #[test]
    fn what_is_too_long_or_of_another_kind_is_cut_or_left_out() {
        for (key, text, value) in [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十甲", "一二三四五六七八九十一二三四五六七八九…"),
            ("thing1", "第一行\r\n第二行\u{0}", "第一行 第二行"),
            ("thing1", "  ", "—"),
            ("character_string2", "SS-2026-7K4M 号", "SS-2026-7K4M"),
            ("character_string2", "无编号", "-"),
            ("phrase3", "正在办理中了", "正在办理中"),
            ("phrase3", "done", "新消息"),
            ("time4", "11月25日 09:00", "11月25日 09:00"),
            ("time4", "明天上午", "2026年11月23日 10:00"),
            ("date5", "2026-12-01", "2026-12-01"),
            ("date5", "2026-13-01", "2026年11月23日"),
            ("name6", "阿依古丽·买买提·吐尔逊江", "阿依古丽·买买提·…"),
            ("name6", "3号", "号"),
            ("number7", "12.5元", "12.5"),
            ("amount8", "12345678901", "1234567890元"),
            ("amount8", "", "0元"),
            ("phone_number9", "0818-2345678转3", "0818-23456783"),
            ("car_number1", "川S12345学", "川S12345学"),
            ("enum_string1", "村委会", "村委会"),
        ] {
            assert_eq!(fit(key, text, at()).as_deref(), Ok(value), "{key} {text}");
            assert!(fits(key, value), "{key} {value}");
        }
        assert_eq!(fit("enum_string1", " ", at()), Err(Unfit("enum_string1".to_owned())));
        assert_eq!(fit("const1", "x", at()), Err(Unfit("const1".to_owned())));
    }

    proptest! {
        #[test]
        fn whatever_comes_the_simulator_takes_what_is_made_of_it(
            kind in prop::sample::select(&KINDS[..]),
            text in r"[\PC\x00-\x1f年月日:~ 0-9A-Za-z一-龥.元¥]{0,60}",
        ) {
            let key = format!("{kind}1");
            match fit(&key, &text, at()) {
                Ok(value) => prop_assert!(!value.is_empty() && fits(&key, &value), "{} {:?} {:?}", key, text, value),
                Err(unfit) => prop_assert_eq!((kind, unfit.0), ("enum_string", key)),
            }
        }
    }
}
