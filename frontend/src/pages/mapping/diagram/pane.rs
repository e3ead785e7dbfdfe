//! The diagram with its tools: which views, which layout, a search, files.

use super::canvas::{Canvas, CanvasCalls, Choice};
use super::export;
use super::geometry::Point;
use super::gesture::Tool;
use super::layout::Layout;
use super::saved::Side;
use super::scene::Hit;
use super::state::{DiagramState, Panes};
use super::tabs::{DiagramTabs, TabCall};
use crate::browser;
use crate::components::icon::{Glyph, Icon};
use crate::components::menu::{Menu, MenuItem};
use crate::components::toast::use_toasts;
use crate::pages::mapping::lineage::Thing;
use leptos::prelude::*;

/// What changes the project.
#[derive(Clone, Copy)]
pub struct DiagramCalls {
    /// Cards of a view at their new places.
    pub on_move: Callback<(Side, Vec<(String, Point)>)>,
    /// Every card of both views by a layout.
    pub on_layout: Callback<Layout>,
    /// A line from one thing to another.
    pub on_draw: Callback<(Thing, Thing)>,
    /// A card of a view is dragged somewhere else in the window, and whether it is let go there.
    pub on_carry: Callback<(Thing, Point, bool)>,
    /// What is chosen is to go.
    pub on_remove: Callback<()>,
    /// What is chosen is to be hidden in this diagram.
    pub on_hide: Callback<()>,
    /// What is done with whole diagrams.
    pub on_tab: Callback<TabCall>,
}

#[component]
pub fn DiagramPane(
    state: DiagramState,
    calls: DiagramCalls,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let canvas = move |side: Side| {
        let shown = move || state.is_shown(side);
        view! { <Show when=shown><View state=state side=side calls=calls/></Show> }
    };
    view! {
        <section class="gw-diagram" aria-label="Diagram" data-testid="diagram">
            <header class="gw-diagram__bar">
                {children.map(|children| children())}
                <ToolChoice state=state/>
                <PaneChoice state=state/>
                <CardSearch state=state/>
            </header>
            <div class="gw-diagram__head">
                <DiagramTabs state=state on_call=calls.on_tab>
                    <LayoutMenu on_layout=calls.on_layout/>
                    <ExportMenu state=state/>
                </DiagramTabs>
            </div>
            <div class="gw-diagram__views">
                {canvas(Side::Relational)}
                {canvas(Side::Documents)}
            </div>
        </section>
    }
}

#[component]
fn View(state: DiagramState, side: Side, calls: DiagramCalls) -> impl IntoView {
    let canvas = state.canvas(side);
    let on_choose = Callback::new(move |choice: Choice| match choice {
        Choice::Nothing => state.chosen.set(Vec::new()),
        Choice::Hit { hit, is_additive } => {
            if let Some(thing) = Thing::of(side, &hit) {
                state.choose(thing, is_additive);
            }
        }
        Choice::Cards { ids, is_additive } => {
            let things = ids.into_iter().filter_map(|id| Thing::of(side, &Hit::Card(id)));
            state.chosen.update(|chosen| {
                if !is_additive {
                    chosen.clear();
                }
                chosen.extend(things);
            });
        }
    });
    let on_point = Callback::new(move |hit: Option<Hit>| {
        let thing = hit.and_then(|hit| Thing::of(side, &hit));
        if state.pointed.with_untracked(|before| *before != thing) {
            state.pointed.set(thing);
        }
    });
    let canvas_calls = CanvasCalls {
        on_choose,
        on_point,
        on_move: Callback::new(move |places| calls.on_move.run((side, places))),
        on_draw: Callback::new(move |(from, to): (Hit, Hit)| {
            if let Some(pair) = Thing::of(side, &from).zip(Thing::of(side, &to)) {
                calls.on_draw.run(pair);
            }
        }),
        on_carry: Callback::new(move |(id, at, is_done): (String, Point, bool)| {
            if let Some(thing) = Thing::of(side, &Hit::Card(id)) {
                calls.on_carry.run((thing, at, is_done));
            }
        }),
        on_remove: calls.on_remove,
        on_hide: calls.on_hide,
    };
    let label = move || {
        let count = canvas.scene.with(|scene| scene.cards.len());
        let what = match side {
            Side::Relational => "tables",
            Side::Documents => "collections",
        };
        format!(
            "Diagram of {count} {what}. Arrow keys choose a card, plus and minus zoom, 0 fits all, Shift with arrows moves the window, Alt with arrows the card."
        )
    };
    let said = move || {
        let chosen = canvas.marks.with(|marks| marks.chosen.clone());
        let said = |id: &String| {
            canvas.scene.with(|scene| {
                scene
                    .card(id)
                    .map(|placed| format!("{}, {}", placed.card.title, placed.card.note))
            })
        };
        chosen.iter().filter_map(said).collect::<Vec<_>>().join("; ")
    };
    let empty = move || {
        canvas
            .scene
            .with(|scene| scene.cards.is_empty())
            .then(|| view! { <Nothing side=side/> })
    };
    view! {
        <div class="gw-diagram__view">
            <Canvas state=canvas calls=canvas_calls label=Signal::derive(label) said=Signal::derive(said)/>
            {empty}
        </div>
    }
}

#[component]
fn Nothing(side: Side) -> impl IntoView {
    let text = match side {
        Side::Relational => "No table is shown in this diagram.",
        Side::Documents => "No collection yet. Drag a table here to make documents of its rows.",
    };
    view! { <p class="gw-diagram__nothing gw-muted">{text}</p> }
}

#[component]
fn Toggle(
    #[prop(into)] label: String,
    icon: Icon,
    #[prop(into)] is_on: Signal<bool>,
    on_press: Callback<()>,
    #[prop(optional, into)] testid: String,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="gw-button gw-button--icon"
            aria-pressed=move || is_on.get().to_string()
            aria-label=label.clone()
            title=label
            data-testid=testid
            on:click=move |_| on_press.run(())
        >
            <Glyph icon=icon/>
        </button>
    }
}

#[component]
fn ToolChoice(state: DiagramState) -> impl IntoView {
    let tools = [
        (Tool::Move, "Move cards and the diagram", Icon::Pointer, "tool-move"),
        (
            Tool::Select,
            "Choose with a box (or hold Shift)",
            Icon::SelectBox,
            "tool-select",
        ),
        (
            Tool::Key,
            "Draw a synthetic key from column to column",
            Icon::Link,
            "tool-key",
        ),
    ];
    let toggle = |(tool, label, icon, testid): (Tool, &'static str, Icon, &'static str)| {
        let press = Callback::new(move |()| state.tool.set(tool));
        let is_on = Signal::derive(move || state.tool.get() == tool);
        view! { <Toggle label=label icon=icon is_on=is_on on_press=press testid=testid/> }
    };
    view! { <div class="gw-toggles" role="group" aria-label="Tool">{tools.map(toggle)}</div> }
}

#[component]
fn PaneChoice(state: DiagramState) -> impl IntoView {
    let panes = [
        (Panes::Both, "Both views", Icon::Split, "panes-both"),
        (
            Panes::Only(Side::Relational),
            "Only tables",
            Icon::Table,
            "panes-relational",
        ),
        (
            Panes::Only(Side::Documents),
            "Only collections",
            Icon::Collection,
            "panes-documents",
        ),
    ];
    let toggle = |(panes, label, icon, testid): (Panes, &'static str, Icon, &'static str)| {
        let press = Callback::new(move |()| {
            state.panes.set(panes);
            state.fit_soon();
        });
        let is_on = Signal::derive(move || state.panes.get() == panes);
        view! { <Toggle label=label icon=icon is_on=is_on on_press=press testid=testid/> }
    };
    view! { <div class="gw-toggles" role="group" aria-label="Views">{panes.map(toggle)}</div> }
}

/// *Enter* leads to the next card that has the text.
#[component]
fn CardSearch(state: DiagramState) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let next = RwSignal::new(0usize);
    let go = move || {
        let sides = [Side::Relational, Side::Documents]
            .into_iter()
            .filter(|side| untrack(|| state.is_shown(*side)));
        let found: Vec<(Side, String)> = sides
            .flat_map(|side| {
                let scene = state.scene(side);
                let ids = scene
                    .find(&text.get_untracked())
                    .into_iter()
                    .map(|card| (side, card.card.id.clone()));
                ids.collect::<Vec<_>>()
            })
            .collect();
        if let Some((side, id)) = (!found.is_empty()).then(|| &found[next.get_untracked() % found.len()]) {
            state.canvas(*side).center_on(id);
            if let Some(thing) = Thing::of(*side, &Hit::Card(id.clone())) {
                state.choose(thing, false);
            }
        }
    };
    let on_input = move |event| {
        text.set(event_target_value(&event));
        next.set(0);
        go();
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            next.update(|next| *next += 1);
            go();
        }
    };
    view! {
        <input
            class="gw-input gw-diagram__search"
            type="search"
            placeholder="Find in the diagram"
            aria-label="Find in the diagram"
            spellcheck="false"
            autocomplete="off"
            data-testid="diagram-search"
            on:input=on_input
            on:keydown=on_key
        />
    }
}

#[component]
fn LayoutMenu(on_layout: Callback<Layout>) -> impl IntoView {
    let item = |layout: Layout| MenuItem::new(layout.label(), Callback::new(move |()| on_layout.run(layout)));
    let items = Layout::ALL.map(item).to_vec();
    view! { <Menu label="Arrange" icon=Icon::Layout items=items is_small=true testid="diagram-layout"/> }
}

#[component]
fn ExportMenu(state: DiagramState) -> impl IntoView {
    let toasts = use_toasts();
    let fail = move || toasts.warn("The browser cannot make this file", "Try another format.");
    let side = move || match state.panes.get_untracked() {
        Panes::Only(side) => side,
        Panes::Both => match state
            .chosen
            .with_untracked(|chosen| chosen.first()?.card().map(|(side, _)| side))
        {
            Some(side) => side,
            None => Side::Relational,
        },
    };
    let name = move |side: Side, extension: &str| format!("{}.{extension}", side.title().to_lowercase());
    let save = move |make: fn(DiagramState, Side) -> String, extension: &'static str| {
        Callback::new(move |()| {
            let side = side();
            if !browser::save_as(&name(side, extension), &make(state, side)) {
                fail();
            }
        })
    };
    let png = Callback::new(move |()| {
        let side = side();
        let (svg, size) = (picture(state, side), picture_size(state, side));
        leptos::task::spawn_local(async move {
            if !browser::save_as_png(&name(side, "png"), &svg, size).await {
                fail();
            }
        });
    });
    let items = vec![
        MenuItem::new("SVG picture", save(picture, "svg")),
        MenuItem::new("PNG picture", png),
        MenuItem::new(
            "Mermaid text",
            save(|state, side| export::mermaid(&state.scene(side)), "mmd"),
        ),
    ];
    view! { <Menu label="Export" icon=Icon::Download items=items is_small=true testid="diagram-export"/> }
}

fn picture(state: DiagramState, side: Side) -> String {
    let edge = match side {
        Side::Relational => "--color-relational",
        Side::Documents => "--color-documents",
    };
    let palette = export::Palette {
        page: browser::color_of("--color-page"),
        surface: browser::color_of("--color-surface"),
        line: browser::color_of("--color-line-strong"),
        text: browser::color_of("--color-text"),
        muted: browser::color_of("--color-text-muted"),
        edge: browser::color_of("--color-line-strong"),
        head: browser::color_of(edge),
    };
    export::svg(&state.scene(side), &palette)
}

/// Pixels of a picture: twice as many as at 100 %, as long as a browser can paint them.
fn picture_size(state: DiagramState, side: Side) -> (u32, u32) {
    const PIXELS_MAX: f64 = 8000.0;
    let bounds = export::bounds(&state.scene(side));
    let scale = (PIXELS_MAX / bounds.width.max(bounds.height)).min(2.0);
    ((bounds.width * scale) as u32, (bounds.height * scale) as u32)
}
