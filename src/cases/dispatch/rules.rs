//! Which entry of a duty list fits a case best. Pure.

use entity::duty_entry;

/// What a case says that a duty list asks about.
pub(super) struct About<'a> {
    /// Code of its service item.
    pub(super) item: Option<&'a str>,
    /// Its topic.
    pub(super) topic: Option<&'a str>,
    /// The villagers' group it lies in: the grid.
    pub(super) group: Option<&'a str>,
}

/// How well an entry fits: by item before by group before by topic; nothing where it speaks of something else.
pub(super) fn fit(entry: &duty_entry::Model, about: &About<'_>) -> Option<(bool, bool, bool)> {
    let speaks = |said: &Option<String>, is: Option<&str>| match (said, is) {
        (None, _) => Some(false),
        (Some(said), Some(is)) if said == is => Some(true),
        (Some(_), _) => None,
    };
    Some((
        speaks(&entry.item_code, about.item)?,
        speaks(&entry.group_name, about.group)?,
        speaks(&entry.topic, about.topic)?,
    ))
}

/// The fitting entries, the best first; of two that fit alike the one written first.
pub(super) fn in_order<'a>(
    entries: impl Iterator<Item = &'a duty_entry::Model>,
    about: &About<'_>,
) -> Vec<&'a duty_entry::Model> {
    let mut fitting: Vec<_> = entries.filter_map(|entry| Some((fit(entry, about)?, entry))).collect();
    fitting.sort_by(|(one, first), (other, second)| other.cmp(one).then(first.id.cmp(&second.id)));
    fitting.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use entity::id::{DivisionId, DutyEntryId, UnitId};

    use super::*;

    fn entry(item: Option<&str>, group: Option<&str>, topic: Option<&str>) -> duty_entry::Model {
        duty_entry::Model {
            id: DutyEntryId::fresh(),
            division_id: DivisionId::fresh(),
            item_code: item.map(str::to_owned),
            topic: topic.map(str::to_owned),
            group_name: group.map(str::to_owned),
            unit_id: UnitId::fresh(),
            staff_id: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_entry_about_the_item_goes_before_one_about_the_grid_and_that_before_one_about_the_topic() {
        let about = About { item: Some("DZ-1"), topic: Some("roads"), group: Some("3组") };
        let list = [
            entry(None, None, None),
            entry(None, None, Some("roads")),
            entry(None, Some("3组"), None),
            entry(Some("DZ-1"), None, None),
            entry(Some("DZ-1"), Some("3组"), None),
            entry(Some("DZ-2"), Some("3组"), Some("roads")),
            entry(None, Some("4组"), None),
        ];
        let order: Vec<_> = in_order(list.iter(), &about).into_iter().map(|entry| entry.id).collect();
        assert_eq!(order, [4, 3, 2, 1, 0].map(|at: usize| list[at].id));
    }

    #[test]
    fn what_a_case_does_not_say_fits_no_entry_that_asks_for_it() {
        let about = About { item: None, topic: None, group: None };
        assert!(fit(&entry(None, Some("3组"), None), &about).is_none());
        assert!(fit(&entry(None, None, None), &about).is_some());
    }
}
