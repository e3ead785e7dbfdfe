//! Sets of global transaction identifiers, as MySQL writes them.
//! <https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html>

use std::collections::HashMap;

/// Transactions by the server of their origin and the number that it gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GtidSet {
    /// Ranges of each server, in order, ends included.
    ranges: HashMap<u128, Vec<(u64, u64)>>,
}

impl GtidSet {
    /// Reads `uuid:1-5:7,uuid:3`. A transaction with a tag is not one that is looked for: it is left out. `None` where the
    /// text is no set.
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::default();
        for of_server in text.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            let (server, intervals) = of_server.split_once(':')?;
            let ranges = set.ranges.entry(server_of(server)?).or_default();
            let mut is_tagged = false;
            for interval in intervals.split(':').map(str::trim) {
                if !interval.starts_with(|c: char| c.is_ascii_digit()) {
                    is_tagged = true;
                    continue;
                }
                let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
                let range = (first.parse().ok()?, last.parse().ok()?);
                if !is_tagged {
                    ranges.push(range);
                }
            }
            ranges.sort_unstable();
        }
        Some(set)
    }

    pub fn contains(&self, server: u128, number: u64) -> bool {
        let Some(ranges) = self.ranges.get(&server) else {
            return false;
        };
        let after = ranges.partition_point(|(first, _)| *first <= number);
        after.checked_sub(1).is_some_and(|place| number <= ranges[place].1)
    }
}

/// A server's identifier as a number.
pub fn server_of(uuid: &str) -> Option<u128> {
    let digits: String = uuid.trim().chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "69b54adb-ecf1-11f1-9ab5-02fc00000001";
    const B: &str = "00000000-0000-0000-0000-00000000000b";

    #[test]
    fn a_set_has_what_its_ranges_have() {
        let set = GtidSet::parse(&format!("{A}:1-5:9:12-13,\n{B}:7")).expect("a set");
        let a = server_of(A).expect("a server");
        let held: Vec<u64> = (0..=20).filter(|n| set.contains(a, *n)).collect();
        assert_eq!(held, [1, 2, 3, 4, 5, 9, 12, 13]);
        assert!(set.contains(0xb, 7) && !set.contains(0xb, 1) && !set.contains(0xc, 7));
        assert_eq!(GtidSet::parse(""), Some(GtidSet::default()));
        let tagged = GtidSet::parse(&format!("{A}:1-2:tag:1-9")).expect("a set");
        assert!(tagged.contains(a, 2) && !tagged.contains(a, 3));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in ["x", "x:1", &format!("{A}:1-"), &format!("{A}:1-x"), &format!("{A}:1a")] {
            assert_eq!(GtidSet::parse(bad), None, "{bad}");
        }
    }
}
