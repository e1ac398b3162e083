mod reckoned;
mod rules;
mod vectors;

use super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn told(days: &[NaiveDate]) -> Vec<String> {
    days.iter().map(ToString::to_string).collect()
}

fn monthly(days: &[u8]) -> Recurrence {
    Recurrence::MonthlyDays { days: days.to_vec() }
}

fn weekly(weekdays: &[u8]) -> Recurrence {
    Recurrence::Weekly { weekdays: weekdays.to_vec() }
}

fn nth(nth: i8, weekday: u8) -> Recurrence {
    Recurrence::NthWeekday { nth, weekday }
}

fn lunar_days(days: &[u8]) -> Recurrence {
    Recurrence::LunarDays { days: days.to_vec() }
}

fn market(calendar: MarketCalendar, digits: &[u8]) -> Recurrence {
    Recurrence::MarketDays { calendar, digits: digits.to_vec() }
}
