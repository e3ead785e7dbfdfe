//! What of the log is shown, and in which order.

use super::order::LogIndex;
use godwit_shared::job::{EventType, JobUpdate};
use std::cmp::Ordering;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Severity,
    Time,
    Location,
    Field,
    Count,
    Message,
}

impl Column {
    pub const ALL: [Column; 6] = [
        Column::Severity,
        Column::Time,
        Column::Location,
        Column::Field,
        Column::Count,
        Column::Message,
    ];

    pub fn head(self) -> &'static str {
        match self {
            Column::Severity => "Severity",
            Column::Time => "Date & Time",
            Column::Location => "Table / Collection",
            Column::Field => "Field",
            Column::Count => "Count",
            Column::Message => "Event detail",
        }
    }

    /// Newest and most first; names from A, and what is grave first.
    fn is_descending_at_first(self) -> bool {
        match self {
            Column::Time | Column::Count => true,
            Column::Severity | Column::Location | Column::Field | Column::Message => false,
        }
    }

    fn compare(self, a: &JobUpdate, b: &JobUpdate) -> Ordering {
        match self {
            Column::Severity => a.event_type.cmp(&b.event_type),
            Column::Time => a.timestamp.cmp(&b.timestamp),
            Column::Location => a.location_name.cmp(&b.location_name),
            Column::Field => a.field_name.cmp(&b.field_name),
            Column::Count => a.count.cmp(&b.count),
            Column::Message => a.message.cmp(&b.message),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub column: Column,
    pub is_descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            column: Column::Time,
            is_descending: true,
        }
    }
}

impl Order {
    /// After a press on the head of a column: the other way round, or by that column.
    pub fn pressed(self, column: Column) -> Self {
        Self {
            column,
            is_descending: match column == self.column {
                true => !self.is_descending,
                false => column.is_descending_at_first(),
            },
        }
    }

    /// For `aria-sort`.
    pub fn spoken(self, column: Column) -> Option<&'static str> {
        let direction = if self.is_descending { "descending" } else { "ascending" };
        (self.column == column).then_some(direction)
    }
}

/// What of the log is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// This severity alone; `None`: all.
    pub only: Option<EventType>,
    /// Only what has this text somewhere, whatever its case.
    pub search: String,
}

pub const SEVERITIES: [EventType; 3] = [EventType::Error, EventType::Warning, EventType::Info];

impl Shown {
    fn has(&self, group: &JobUpdate) -> bool {
        self.only.is_none_or(|only| only == group.event_type) && self.finds(group)
    }

    fn finds(&self, group: &JobUpdate) -> bool {
        let search = self.search.trim().to_lowercase();
        if search.is_empty() {
            return true;
        }
        let texts = [
            Some(&group.message),
            group.location_name.as_ref(),
            group.field_name.as_ref(),
            group.details.as_ref(),
            Some(&group.error_code),
        ];
        let keys = group.key.iter().flat_map(|(column, value)| [column, value]);
        let mut all = texts.into_iter().flatten().chain(keys);
        all.any(|text| text.to_lowercase().contains(&search))
    }

    /// After a press on a severity: that one alone, or all again.
    pub fn press(&mut self, severity: EventType) {
        self.only = match self.only == Some(severity) {
            true => None,
            false => Some(severity),
        };
    }
}

/// The keys of the rows, in order; of equal ones the newest is first.
pub fn rows(index: &LogIndex, order: Order, shown: &Shown) -> Vec<String> {
    let mut groups: Vec<_> = index.groups().filter(|(_, group)| shown.has(group)).collect();
    groups.sort_by(|(_, a), (_, b)| {
        let order_of = order.column.compare(a, b);
        if order.is_descending {
            order_of.reverse()
        } else {
            order_of
        }
    });
    groups.into_iter().map(|(key, _)| key.clone()).collect()
}

/// How many errors, warnings or notes there are.
pub fn count_of(index: &LogIndex, severity: EventType) -> u64 {
    index
        .groups()
        .filter(|(_, group)| group.event_type == severity)
        .map(|(_, group)| group.weight())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::order::tests::{index, update};
    use super::*;

    fn log() -> LogIndex {
        let mut updates = vec![
            update(EventType::Info, "started", 1, 1),
            update(EventType::Error, "bad", 5, 40),
            update(EventType::Warning, "cut", 3, 7),
            update(EventType::Error, "worse", 4, 2),
        ];
        updates[1].location_name = Some("shop.orders".into());
        updates[3].location_name = Some("shop.item".into());
        index(updates)
    }

    fn messages(order: Order, shown: &Shown) -> Vec<String> {
        let index = log();
        let keys = rows(&index, order, shown);
        keys.iter()
            .filter_map(|key| Some(index.group(key)?.message.clone()))
            .collect()
    }

    #[test]
    fn rows_by_each_column() {
        let by = |column: Column| messages(Order::default().pressed(column), &Shown::default());
        assert_eq!(
            messages(Order::default(), &Shown::default()),
            ["bad", "worse", "cut", "started"]
        );
        assert_eq!(by(Column::Time), ["started", "cut", "worse", "bad"]);
        assert_eq!(by(Column::Severity), ["bad", "worse", "cut", "started"]);
        assert_eq!(by(Column::Location), ["cut", "started", "worse", "bad"]);
        assert_eq!(by(Column::Count), ["bad", "cut", "worse", "started"]);
        assert_eq!(by(Column::Message), ["bad", "cut", "started", "worse"]);
    }

    #[test]
    fn a_press_shows_one_severity_alone_and_another_press_all() {
        let mut shown = Shown::default();
        shown.press(EventType::Error);
        assert_eq!(messages(Order::default(), &shown), ["bad", "worse"]);
        shown.press(EventType::Info);
        assert_eq!(messages(Order::default(), &shown), ["started"]);
        shown.press(EventType::Info);
        assert_eq!(messages(Order::default(), &shown).len(), 4);
        assert_eq!(SEVERITIES.map(|severity| count_of(&log(), severity)), [42, 7, 1]);
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let found = |search: &str| {
            let shown = Shown {
                only: None,
                search: search.into(),
            };
            messages(Order::default(), &shown)
        };
        assert_eq!(found(" SHOP.item "), ["worse"]);
        assert_eq!(found("cut"), ["cut"]);
        assert_eq!(found("nowhere"), [""; 0]);
    }

    #[test]
    fn a_second_press_turns_the_order_round() {
        let order = Order::default().pressed(Column::Count);
        assert_eq!(order.spoken(Column::Count), Some("descending"));
        assert_eq!(order.spoken(Column::Time), None);
        assert_eq!(order.pressed(Column::Count).spoken(Column::Count), Some("ascending"));
    }
}
