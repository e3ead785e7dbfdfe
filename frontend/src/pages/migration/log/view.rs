//! What of the log is shown, and in which order.

use super::order::LogIndex;
use godwit_shared::job::{EventType, JobUpdate};
use std::cmp::Ordering;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Severity,
    Time,
    Location,
    Count,
    Message,
}

impl Column {
    pub const ALL: [Column; 5] = [
        Column::Severity,
        Column::Time,
        Column::Location,
        Column::Count,
        Column::Message,
    ];

    pub fn head(self) -> &'static str {
        match self {
            Column::Severity => "Severity",
            Column::Time => "Date & Time",
            Column::Location => "Table / Collection",
            Column::Count => "Count",
            Column::Message => "Event detail",
        }
    }

    /// Newest and most first; names from A, and what is grave first.
    fn is_descending_at_first(self) -> bool {
        match self {
            Column::Time | Column::Count => true,
            Column::Severity | Column::Location | Column::Message => false,
        }
    }

    fn compare(self, a: &JobUpdate, b: &JobUpdate) -> Ordering {
        match self {
            Column::Severity => a.event_type.cmp(&b.event_type),
            Column::Time => a.timestamp.cmp(&b.timestamp),
            Column::Location => a.location_name.cmp(&b.location_name),
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

/// Which severities are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub errors: bool,
    pub warnings: bool,
    pub infos: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            errors: true,
            warnings: true,
            infos: true,
        }
    }
}

pub const SEVERITIES: [EventType; 3] = [EventType::Error, EventType::Warning, EventType::Info];

impl Shown {
    pub fn has(self, severity: EventType) -> bool {
        match severity {
            EventType::Error => self.errors,
            EventType::Warning => self.warnings,
            EventType::Info => self.infos,
        }
    }

    pub fn toggle(&mut self, severity: EventType) {
        let shown = match severity {
            EventType::Error => &mut self.errors,
            EventType::Warning => &mut self.warnings,
            EventType::Info => &mut self.infos,
        };
        *shown = !*shown;
    }
}

/// The keys of the rows, in order; of equal ones the newest is first.
pub fn rows(index: &LogIndex, order: Order, shown: Shown) -> Vec<String> {
    let mut groups: Vec<_> = index
        .groups()
        .filter(|(_, group)| shown.has(group.event_type))
        .collect();
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

/// How many events have the severity.
pub fn count_of(index: &LogIndex, severity: EventType) -> u64 {
    index
        .groups()
        .filter(|(_, group)| group.event_type == severity)
        .map(|(_, group)| group.count)
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

    fn messages(order: Order, shown: Shown) -> Vec<String> {
        let index = log();
        let keys = rows(&index, order, shown);
        keys.iter()
            .filter_map(|key| Some(index.group(key)?.message.clone()))
            .collect()
    }

    #[test]
    fn rows_by_each_column() {
        let by = |column: Column| messages(Order::default().pressed(column), Shown::default());
        assert_eq!(
            messages(Order::default(), Shown::default()),
            ["bad", "worse", "cut", "started"]
        );
        assert_eq!(by(Column::Time), ["started", "cut", "worse", "bad"]);
        assert_eq!(by(Column::Severity), ["bad", "worse", "cut", "started"]);
        assert_eq!(by(Column::Location), ["cut", "started", "worse", "bad"]);
        assert_eq!(by(Column::Count), ["bad", "cut", "worse", "started"]);
        assert_eq!(by(Column::Message), ["bad", "cut", "started", "worse"]);
    }

    #[test]
    fn severities_can_be_hidden() {
        let mut shown = Shown::default();
        shown.toggle(EventType::Error);
        assert_eq!(messages(Order::default(), shown), ["cut", "started"]);
        shown.toggle(EventType::Warning);
        shown.toggle(EventType::Info);
        assert_eq!(messages(Order::default(), shown), [""; 0]);
        assert_eq!(SEVERITIES.map(|severity| count_of(&log(), severity)), [42, 7, 1]);
    }

    #[test]
    fn a_second_press_turns_the_order_round() {
        let order = Order::default().pressed(Column::Count);
        assert_eq!(order.spoken(Column::Count), Some("descending"));
        assert_eq!(order.spoken(Column::Time), None);
        assert_eq!(order.pressed(Column::Count).spoken(Column::Count), Some("ascending"));
    }
}
