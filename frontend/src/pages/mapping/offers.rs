//! What a table can become at a place: a list of what is possible, and the small chooser that a drop opens.

use super::lineage::Thing;
use super::workbench::{Workbench, use_workbench};
use crate::browser;
use crate::components::dialog::Dialog;
use godwit_shared::edit::drops::{DropTarget, Offer, OfferAction, offers};
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use leptos::prelude::*;
use web_sys::Element;

/// A table that was let go somewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped {
    pub table: TableId,
    pub onto: DropTarget,
}

#[component]
pub fn OfferList(table: TableId, onto: DropTarget, on_done: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let list = Memo::new(move |_| bench.with(|draft| offers(draft, &table, &onto)));
    let item = move |offer: Offer| {
        let Offer { label, detail, action } = offer;
        let press = move |_| {
            match action.clone() {
                OfferAction::Edit(edit) => bench.apply_and_choose(*edit),
                OfferAction::DrawKey { from, to } => bench.draw_key(from, Some(to), Vec::new()),
            }
            on_done.run(());
        };
        view! {
            <li>
                <button type="button" class="gw-offers__item" data-testid="offer" on:click=press>
                    <span>{label}</span>
                    <span class="gw-muted">{detail}</span>
                </button>
            </li>
        }
    };
    view! { <ul class="gw-offers" data-testid="offers">{move || list.get().into_iter().map(item).collect_view()}</ul> }
}

/// Opens where a table was dropped.
#[component]
pub fn DropChooser(dropped: RwSignal<Option<Dropped>>) -> impl IntoView {
    let bench = use_workbench();
    let close = Callback::new(move |()| dropped.set(None));
    move || {
        dropped.get().map(|Dropped { table, onto }| {
            let name = bench
                .draft
                .with_untracked(|draft| draft.table(&table).map(|(path, _)| path.table.clone()));
            let title = format!("What becomes of {}?", name.unwrap_or_default());
            view! {
                <Dialog title=title on_close=close>
                    <div class="gw-dialog__body"><OfferList table=table onto=onto on_done=close/></div>
                </Dialog>
            }
        })
    }
}

/// What a table falls on at a pixel of the window; `None` where nothing takes it.
pub fn target_at(bench: Workbench, x: f64, y: f64) -> Option<DropTarget> {
    let documents = bench.diagram.documents;
    let element = document().element_from_point(x as f32, y as f32)?;
    let place: Element = element.closest("[data-drop]").ok().flatten()?;
    match place.get_attribute("data-drop").as_deref() {
        Some("field") => Some(DropTarget::Field {
            rule: MappingId::new(place.get_attribute("data-rule")?),
            path: place.get_attribute("data-path").unwrap_or_default(),
        }),
        Some("collection") => Some(DropTarget::Collection(CollectionId::new(
            place.get_attribute("data-collection")?,
        ))),
        Some("canvas") if place.closest("[data-side='collection']").ok().flatten().is_some() => {
            let (left, top) = browser::corner_of(&place);
            let pixel = super::diagram::geometry::Point::new(x - left, y - top);
            let thing = documents.at(pixel).and_then(|hit| Thing::of(documents.side, &hit));
            Some(match thing {
                Some(Thing::Collection(collection)) => DropTarget::Collection(collection),
                Some(Thing::Path { collection, path }) => bench.field_target(collection, &path),
                _ => DropTarget::Canvas,
            })
        }
        _ => None,
    }
}
