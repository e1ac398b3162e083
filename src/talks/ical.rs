//! Calendars that leave the house: iCalendar text (RFC 5545, methods by RFC 5546) of events on Chinese time.
//!
//! Pure. Names and escaping are the library's. What stands in which component is said here, because the library gives
//! every component that lacks them a random `UID` and the machine's time, and then no two readings of the same calendar
//! are alike; lines are folded here, because the library's last piece may have 76 octets. Next: [`super::ops::calendar`] for what becomes an event.

use entity::Instant;
use icalendar::Property;

use crate::clock::china;

/// What `UID`s and organisers end in; a name that can never be a host (RFC 2606, 2).
const HOME: &str = "shuoshi.invalid";
/// The zone of every event. Its rules are in [`zone`].
const ZONE: &str = "Asia/Shanghai";

/// What the receiver is to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Show the events.
    Publish,
    /// Take the events out.
    Cancel,
}

/// Whether an event takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Confirmed,
    /// The desk has not confirmed it yet.
    Tentative,
    Cancelled,
}

/// Who gives the event.
#[derive(Clone, Debug)]
pub(super) struct Organiser {
    /// Stable; becomes an address that nobody can write to.
    pub(super) id: String,
    pub(super) name: String,
}

/// One event. Instants are written in whole seconds of Chinese time.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The same for all versions of the event.
    pub(super) id: String,
    pub(super) starts_at: Instant,
    pub(super) ends_at: Instant,
    pub(super) summary: String,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) organiser: Organiser,
    pub(super) status: Status,
    /// Grows with every change.
    pub(super) sequence: i32,
    pub(super) created_at: Instant,
    /// When it became what it is.
    pub(super) changed_at: Instant,
    /// Somebody's own: shown to nobody else, keeps the time busy, and reminds a day before in these words.
    pub(super) own: Option<String>,
}

/// A calendar, as the bytes of a file: CRLF, lines of at most 75 octets.
pub(super) fn calendar(method: Method, name: Option<&str>, events: &[Event]) -> String {
    let mut out = Lines::default();
    out.line("BEGIN", "VCALENDAR");
    out.line("VERSION", "2.0");
    out.line("PRODID", "-//shuoshi//talk days//ZH");
    out.line("CALSCALE", "GREGORIAN");
    out.line("METHOD", if method == Method::Cancel { "CANCEL" } else { "PUBLISH" });
    if let Some(name) = name {
        // RFC 7986, 5.1 and 5.7, and the names by which calendars knew them before.
        out.line("NAME", name);
        out.line("X-WR-CALNAME", name);
        out.line("X-WR-TIMEZONE", ZONE);
        out.property(Property::new("REFRESH-INTERVAL", "PT6H").add_parameter("VALUE", "DURATION").done());
        out.line("X-PUBLISHED-TTL", "PT6H");
    }
    zone(&mut out);
    for event in events {
        component(&mut out, event);
    }
    out.line("END", "VCALENDAR");
    out.0
}

/// UTC+08:00 all year: what `Asia/Shanghai` has been since 1991.
fn zone(out: &mut Lines) {
    for (name, value) in [
        ("BEGIN", "VTIMEZONE"),
        ("TZID", ZONE),
        ("BEGIN", "STANDARD"),
        ("DTSTART", "19910915T010000"),
        ("TZOFFSETFROM", "+0800"),
        ("TZOFFSETTO", "+0800"),
        ("TZNAME", "CST"),
        ("END", "STANDARD"),
        ("END", "VTIMEZONE"),
    ] {
        out.line(name, value);
    }
}

fn component(out: &mut Lines, event: &Event) {
    out.line("BEGIN", "VEVENT");
    out.line("UID", &format!("{}@{HOME}", event.id));
    out.line("DTSTAMP", &utc(event.changed_at));
    out.line("CREATED", &utc(event.created_at));
    out.line("LAST-MODIFIED", &utc(event.changed_at));
    out.line("SEQUENCE", &event.sequence.to_string());
    let status = match event.status {
        Status::Confirmed => "CONFIRMED",
        Status::Tentative => "TENTATIVE",
        Status::Cancelled => "CANCELLED",
    };
    out.line("STATUS", status);
    out.property(local("DTSTART", event.starts_at));
    out.property(local("DTEND", event.ends_at));
    out.line("SUMMARY", &event.summary);
    if let Some(text) = &event.description {
        out.line("DESCRIPTION", text);
    }
    if let Some(text) = &event.location {
        out.line("LOCATION", text);
    }
    let Organiser { id, name } = &event.organiser;
    // Within a quoted parameter there is no way to write a quotation mark (RFC 5545, 3.2).
    let name = one_line(name).replace('"', "\u{2019}");
    out.property(Property::new("ORGANIZER", format!("mailto:{id}@{HOME}")).add_parameter("CN", &name).done());
    out.line("CLASS", if event.own.is_some() { "PRIVATE" } else { "PUBLIC" });
    out.line("TRANSP", if event.own.is_some() { "OPAQUE" } else { "TRANSPARENT" });
    if let Some(words) = event.own.as_ref().filter(|_| event.status != Status::Cancelled) {
        out.line("BEGIN", "VALARM");
        out.line("ACTION", "DISPLAY");
        out.line("TRIGGER", "-P1D");
        out.line("DESCRIPTION", words);
        out.line("END", "VALARM");
    }
    out.line("END", "VEVENT");
}

fn utc(at: Instant) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn local(name: &str, at: Instant) -> Property {
    let time = at.with_timezone(&china()).format("%Y%m%dT%H%M%S").to_string();
    Property::new(name, time).add_parameter("TZID", ZONE).done()
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// Content lines, one after the other.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        // A lone CR would end the line for some readers.
        self.property(Property::new(name, value.replace("\r\n", "\n").replace('\r', "\n")));
    }

    fn property(&mut self, property: Property) {
        // Writing to a text cannot fail.
        let folded: String = property.try_into().unwrap_or_default();
        fold(&mut self.0, folded.trim_end_matches("\r\n").replace("\r\n ", "").as_str());
    }
}

/// The longest line without its end (RFC 5545, 3.1).
const MOST_OCTETS: usize = 75;

/// Writes a content line in pieces of at most 75 octets, cut between characters; each further piece begins with a space.
fn fold(out: &mut String, line: &str) {
    let mut length = 0;
    for letter in line.chars() {
        if length + letter.len_utf8() > MOST_OCTETS {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(letter);
        length += letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn event() -> Event {
        Event {
            id: "0192".into(),
            starts_at: at("2026-11-25T01:15:00Z"),
            ends_at: at("2026-11-25T01:30:00Z"),
            summary: "说事日 · 石笋村 · 3号".into(),
            description: None,
            location: Some("村委会, 二楼; 东\\西".into()),
            organiser: Organiser { id: "7".into(), name: "石笋村".into() },
            status: Status::Confirmed,
            sequence: 2,
            created_at: at("2026-11-11T01:00:00Z"),
            changed_at: at("2026-11-12T01:00:00Z"),
            own: Some("明天说事".into()),
        }
    }

    /// Content lines as a reader unfolds them (RFC 5545, 3.1).
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_event_says_when_in_chinese_time_and_which_version_it_is() {
        let lines = unfolded(&calendar(Method::Publish, None, &[event()]));
        for line in [
            "METHOD:PUBLISH",
            "TZID:Asia/Shanghai",
            "UID:0192@shuoshi.invalid",
            "DTSTAMP:20261112T010000Z",
            "LAST-MODIFIED:20261112T010000Z",
            "SEQUENCE:2",
            "STATUS:CONFIRMED",
            "DTSTART;TZID=Asia/Shanghai:20261125T091500",
            "DTEND;TZID=Asia/Shanghai:20261125T093000",
            "SUMMARY:说事日 · 石笋村 · 3号",
            r"LOCATION:村委会\, 二楼\; 东\\西",
            "ORGANIZER;CN=石笋村:mailto:7@shuoshi.invalid",
            "TRIGGER:-P1D",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("BEGIN:")).count(), 5);
        assert_eq!(lines.iter().filter(|line| line.starts_with("END:")).count(), 5);
        for once in ["DTSTAMP", "UID"] {
            assert_eq!(lines.iter().filter(|line| line.starts_with(once)).count(), 1, "the library added none");
        }
    }

    #[test]
    fn what_is_cancelled_reminds_nobody() {
        let gone = Event { status: Status::Cancelled, ..event() };
        let text = calendar(Method::Cancel, None, &[gone]);
        assert!(text.contains("METHOD:CANCEL\r\n") && text.contains("STATUS:CANCELLED\r\n"), "{text}");
        assert!(!text.contains("VALARM"), "{text}");
    }

    #[test]
    fn a_calendar_without_events_is_still_one() {
        let text = calendar(Method::Publish, Some("石笋村 说事日"), &[]);
        assert!(text.contains("BEGIN:VTIMEZONE\r\n") && text.contains("X-WR-CALNAME:石笋村 说事日\r\n"), "{text}");
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    }

    proptest! {
        #[test]
        fn lines_are_folded_at_75_octets_never_inside_a_character(
            words in "[一-龥𰝟 a-z,;:\"\\\\·\r\n]{0,300}", name in "[一-龥𰝟 a-z,;:\"\r\n]{0,60}",
        ) {
            let odd = Event {
                summary: words.clone(),
                description: Some(words.clone()),
                organiser: Organiser { id: "7".into(), name },
                ..event()
            };
            let text = calendar(Method::Publish, Some(&words), &[odd]);
            prop_assert!(text.ends_with("\r\n"));
            // A `String` is valid UTF-8; that every piece of it is, too, is what folding must keep.
            for line in text.as_bytes().split(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                prop_assert!(line.len() <= 75, "{} octets", line.len());
                prop_assert!(std::str::from_utf8(line).is_ok());
                prop_assert!(!line.contains(&b'\r'));
            }
            let escaped = words.replace("\r\n", "\n").replace('\r', "\n").replace('\\', "\\\\")
                .replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n");
            let lines = unfolded(&text);
            prop_assert!(lines.contains(&format!("SUMMARY:{escaped}")), "{lines:?}");
            prop_assert_eq!(lines.iter().filter(|line| line.starts_with("END:")).count(), 5);
        }
    }
}
