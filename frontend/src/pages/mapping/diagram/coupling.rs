//! Cards of the two views belong together: a collection that only hidden tables feed is hidden as well, and what is shown
//! brings what it is made of.

use super::saved::Side;
use godwit_shared::mapping::Content;
use std::collections::HashSet;

/// Cards, by their view and id.
pub type Cards = HashSet<(Side, String)>;

/// Which tables feed which collections, by ids.
pub fn feeds(content: &Content) -> Vec<(String, String)> {
    let rules = content.mappings.values();
    let mut pairs: Vec<_> = rules
        .map(|rule| (rule.table.clone(), rule.collection_id.to_string()))
        .collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

fn counterparts<'a>(
    feeds: &'a [(String, String)],
    card: &'a (Side, String),
) -> impl Iterator<Item = (Side, String)> + 'a {
    feeds.iter().filter_map(move |(table, collection)| match card.0 {
        Side::Relational => (*table == card.1).then(|| (Side::Documents, collection.clone())),
        Side::Documents => (*collection == card.1).then(|| (Side::Relational, table.clone())),
    })
}

/// Shows a card with its counterparts.
pub fn show(shown: &mut Cards, card: &(Side, String), feeds: &[(String, String)]) {
    shown.insert(card.clone());
    shown.extend(counterparts(feeds, card));
}

/// Hides a card, and those of its counterparts that no other card in sight belongs to.
pub fn hide(shown: &mut Cards, card: &(Side, String), feeds: &[(String, String)]) {
    shown.remove(card);
    for other in counterparts(feeds, card) {
        if !counterparts(feeds, &other).any(|own| shown.contains(&own)) {
            shown.remove(&other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_goes_with_its_last_table_and_returns_with_any() {
        let feeds = [("a", "x"), ("b", "x")].map(|(t, c)| (t.to_owned(), c.to_owned()));
        let table = |id: &str| (Side::Relational, id.to_owned());
        let x = (Side::Documents, "x".to_owned());
        let mut shown: Cards = [table("a"), table("b"), x.clone()].into();
        hide(&mut shown, &table("a"), &feeds);
        assert!(shown.contains(&x));
        hide(&mut shown, &table("b"), &feeds);
        assert!(shown.is_empty());
        show(&mut shown, &table("a"), &feeds);
        assert_eq!(shown, [table("a"), x.clone()].into());
        show(&mut shown, &x, &feeds);
        assert_eq!(shown.len(), 3);
        hide(&mut shown, &x, &feeds);
        assert!(shown.is_empty());
    }
}
