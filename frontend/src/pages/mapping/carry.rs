//! A table on its way to a collection: what follows the pointer, and what it would fall on.

use super::diagram::geometry::Point;
use super::lineage::Thing;
use super::offers::{Dropped, target_at};
use super::workbench::{Workbench, use_workbench};
use godwit_shared::edit::drops::DropTarget;
use godwit_shared::edit::{Draft, going};
use godwit_shared::ids::TableId;
use leptos::prelude::*;

/// A table that is being dragged.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    pub table: TableId,
    pub at: Point,
    /// What lies below it.
    pub over: Option<DropTarget>,
}

/// The pointer carries a table to a pixel of the window.
pub fn carry(bench: Workbench, table: TableId, at: Point) {
    let over = target_at(bench, at.x, at.y);
    let thing = over.as_ref().and_then(|over| thing_of(bench, over));
    if bench.pointed.with_untracked(|pointed| *pointed != thing) {
        bench.pointed.set(thing);
    }
    bench.carried.set(Some(Carried { table, at, over }));
}

/// The pointer lets it go.
pub fn let_go(bench: Workbench, table: TableId, at: Point) {
    bench.carried.set(None);
    bench.pointed.set(None);
    if let Some(onto) = target_at(bench, at.x, at.y) {
        bench.dropped.set(Some(Dropped { table, onto }));
    }
}

fn thing_of(bench: Workbench, over: &DropTarget) -> Option<Thing> {
    match over {
        DropTarget::Canvas => None,
        DropTarget::Collection(collection) => Some(Thing::Collection(collection.clone())),
        DropTarget::Field { rule, path } => Some(Thing::Path {
            collection: bench
                .draft
                .with_untracked(|draft| draft.rule(rule).map(|rule| rule.collection_id.clone()))?,
            path: path.clone(),
        }),
    }
}

/// `loans → borrowers`
fn words(draft: &Draft, carried: &Carried) -> String {
    let table = draft
        .table(&carried.table)
        .map(|(path, _)| path.table.clone())
        .unwrap_or_default();
    let target = match &carried.over {
        None => return table,
        Some(DropTarget::Canvas) => "a new collection".to_owned(),
        Some(DropTarget::Collection(collection)) => draft
            .content
            .collections
            .get(collection)
            .map(|c| c.name.clone())
            .unwrap_or_default(),
        Some(DropTarget::Field { rule, .. }) => going::path_of(draft, rule),
    };
    format!("{table} → {target}")
}

/// What follows the pointer.
#[component]
pub fn CarriedTable() -> impl IntoView {
    let bench = use_workbench();
    move || {
        bench.carried.get().map(|carried| {
            let text = bench.draft.with_untracked(|draft| words(draft, &carried));
            let place = format!("left: {:.0}px; top: {:.0}px", carried.at.x + 14.0, carried.at.y + 10.0);
            view! { <div class="gw-carried" style=place aria-hidden="true">{text}</div> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::ids::{CollectionId, MappingId};

    #[test]
    fn what_follows_the_pointer_says_where_it_would_fall() {
        let check = |over: Option<DropTarget>, expected: &str| {
            let carried = Carried {
                table: TableId::new("t3"),
                at: Point::default(),
                over,
            };
            assert_eq!(words(&samples::draft(), &carried), expected);
        };
        check(None, "desks");
        check(Some(DropTarget::Canvas), "desks → a new collection");
        check(
            Some(DropTarget::Collection(CollectionId::new("c1"))),
            "desks → borrowers",
        );
        let field = DropTarget::Field {
            rule: MappingId::new("m2"),
            path: "loans".into(),
        };
        check(Some(field), "desks → borrowers.loans");
    }
}
