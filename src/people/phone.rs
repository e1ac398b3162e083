//! Phone numbers as people type them, and as we keep them.

/// Digits only, without the country's 86; `None` when it is no mainland mobile or landline number.
///
/// Mobile: 11 digits, `1[3-9]`. Landline: area code with 0, 10 to 12 digits (公用电信网编号计划, 工信部).
#[must_use]
pub fn normalise(text: &str) -> Option<String> {
    let mut digits = String::new();
    for c in text.trim().chars() {
        match c {
            '0'..='9' => digits.push(c),
            // Full-width digits of Chinese input methods.
            '０'..='９' => digits.push(char::from_digit(u32::from(c) - u32::from('０'), 10)?),
            ' ' | '-' | '(' | ')' | '\u{3000}' | '－' | '（' | '）' => {}
            '+' | '＋' if digits.is_empty() => {}
            _ => return None,
        }
    }
    let digits = match digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")) {
        Some(rest) if rest.len() == 11 && rest.starts_with('1') => rest.to_owned(),
        _ => digits,
    };
    let mobile = digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes().get(1), Some(b'3'..=b'9'));
    let landline = (10..=12).contains(&digits.len())
        && digits.starts_with('0')
        && matches!(digits.as_bytes().get(1), Some(b'1'..=b'9'));
    (mobile || landline).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (typed, kept) in [
            ("13800000000", Some("13800000000")),
            ("+86 138-0000-0000", Some("13800000000")),
            ("008613800000000", Some("13800000000")),
            ("１３８００００００００", Some("13800000000")),
            ("0818-2100000", Some("08182100000")),
            ("12800000000", None),
            ("110", None),
            ("138000000000", None),
            ("", None),
            ("abc", None),
        ] {
            assert_eq!(normalise(typed).as_deref(), kept, "{typed}");
        }
    }
}
