//! What a canvas draws: lines, cards as far as they can be read, and over them what is lit up, chosen or being drawn.

use super::canvas::CanvasState;
use super::card::{Card, HEAD, LEVEL, ROW, TITLE_CHARS, WIDTH, cut};
use super::geometry::{Point, Rect};
use super::gesture::Gesture;
use super::scene::{PlacedCard, Scene};
use super::view::{Detail, Drawn};
use leptos::prelude::*;
use std::fmt::Write;
use std::sync::Arc;

/// A key, 10 by 10.
const KEY: &str = "M6.5 1a2.5 2.5 0 1 1-1 4.8L2 9.2V10H.5V8L4.2 4.5A2.5 2.5 0 0 1 6.5 1Z";
/// A link of a chain.
const LINK: &str = "M4 6.5 6.5 4M5 2.8 6 1.8a1.8 1.8 0 0 1 2.6 2.6l-1 1M5.5 7.7l-1 1a1.8 1.8 0 0 1-2.6-2.6l1-1";
const TITLE_SIZE_MAX: f64 = 44.0;

#[component]
pub fn Drawing(state: CanvasState, drawn: Memo<Drawn>) -> impl IntoView {
    let scene = Memo::new(move |_| Shown(moved(&state.scene.get(), &state.gesture.get())));
    let scene = Signal::derive(move || scene.get().0);
    let transform = move || state.view.with(|view| view.transform());
    let is_full = Memo::new(move |_| drawn.get().detail == Detail::Rows);
    let cards = move || match is_full.get() {
        true => view! { <Cards scene=scene drawn=drawn/> }.into_any(),
        false => view! { <Boxes scene=scene drawn=drawn/> }.into_any(),
    };
    view! {
        <svg class="gw-canvas__svg" width="100%" height="100%" aria-hidden="true" data-detail=move || format!("{:?}", drawn.get().detail)>
            <g transform=transform>
                <Lines scene=scene drawn=drawn state=state/>
                {cards}
                <Overlay scene=scene state=state/>
            </g>
        </svg>
    }
}

/// A scene is another one where it is made anew.
#[derive(Clone)]
struct Shown(Arc<Scene>);

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The scene with cards where they are being moved to.
fn moved(scene: &Arc<Scene>, gesture: &Gesture) -> Arc<Scene> {
    let Gesture::Moving { ids, by, .. } = gesture else {
        return scene.clone();
    };
    let place = |placed: &PlacedCard| {
        let at = Point::new(placed.rect.x, placed.rect.y);
        let at = if ids.contains(&placed.card.id) {
            at.moved(by.x, by.y)
        } else {
            at
        };
        (placed.card.clone(), at)
    };
    let edges: Vec<_> = scene.edges.iter().map(|edge| edge.edge.clone()).collect();
    Arc::new(Scene::new(scene.cards.iter().map(place).collect(), &edges))
}

/// One path for all lines of a kind: elements cost more than curves.
#[component]
fn Lines(scene: Signal<Arc<Scene>>, drawn: Memo<Drawn>, state: CanvasState) -> impl IntoView {
    let lines = move |is_synthetic: bool| {
        let Drawn { area, detail } = drawn.get();
        scene.with(|scene| {
            let mut path = String::new();
            for edge in scene.edges_in(area).filter(|e| e.edge.is_synthetic == is_synthetic) {
                match detail {
                    Detail::Rows => edge.curve.draw(&mut path),
                    Detail::Titles | Detail::Boxes => edge.curve.draw_line(&mut path),
                }
            }
            path
        })
    };
    let lit = move || {
        let mut path = String::new();
        state.marks.with(|marks| {
            scene.with(|scene| {
                let edges = scene.edges.iter().filter(|e| marks.edges.contains(&e.edge.id));
                edges.for_each(|e| e.curve.draw(&mut path));
            });
        });
        path
    };
    view! {
        <path class="gw-canvas__edge" d=move || lines(false)/>
        <path class="gw-canvas__edge gw-canvas__edge--synthetic" d=move || lines(true)/>
        <path class="gw-canvas__edge gw-canvas__edge--lit" d=lit/>
    }
}

/// Cards that are too small for their rows: one path for all, and their names where these can be read.
#[component]
fn Boxes(scene: Signal<Arc<Scene>>, drawn: Memo<Drawn>) -> impl IntoView {
    let boxes = move || {
        let area = drawn.get().area;
        scene.with(|scene| {
            let mut path = String::new();
            scene.cards_in(area).for_each(|card| draw_rect(&mut path, card.rect));
            path
        })
    };
    let titles = move || {
        let Drawn { area, detail } = drawn.get();
        (detail == Detail::Titles).then(|| scene.with(|scene| scene.cards_in(area).map(title).collect_view()))
    };
    view! {
        <path class="gw-canvas__box" d=boxes/>
        {titles}
    }
}

pub fn draw_rect(path: &mut String, rect: Rect) {
    let Rect { x, y, width, height } = rect;
    let _ = write!(path, "M{x:.0} {y:.0}h{width:.0}v{height:.0}h-{width:.0}z");
}

/// As large as the width of the card allows.
fn title(placed: &PlacedCard) -> impl IntoView + use<> {
    let name = cut(&placed.card.title, TITLE_CHARS);
    let size = (WIDTH * 1.5 / name.chars().count().max(1) as f64).min(TITLE_SIZE_MAX);
    let center = placed.rect.center();
    view! {
        <text class="gw-canvas__name" x=center.x y=center.y font-size=format!("{size:.0}")>{name}</text>
    }
}

#[component]
fn Cards(scene: Signal<Arc<Scene>>, drawn: Memo<Drawn>) -> impl IntoView {
    let shown = move || {
        let area = drawn.get().area;
        scene.with(|scene| scene.cards_in(area).map(|card| card.card.clone()).collect::<Vec<_>>())
    };
    // What stands on a card does not change: another text makes another card.
    let key = |card: &Arc<Card>| (card.id.clone(), Arc::as_ptr(card) as usize);
    view! { <For each=shown key=key let:card><CardView card=card scene=scene/></For> }
}

#[component]
fn CardView(card: Arc<Card>, scene: Signal<Arc<Scene>>) -> impl IntoView {
    let id = card.id.clone();
    let place = Memo::new(move |_| scene.with(|scene| scene.card(&id).map(|card| (card.rect.x, card.rect.y))));
    let transform = move || {
        let (x, y) = place.get().unwrap_or_default();
        format!("translate({x:.1} {y:.1})")
    };
    let height = card.size().height;
    let class = match card.is_proposed {
        true => "gw-canvas__card gw-canvas__card--proposed",
        false => "gw-canvas__card",
    };
    view! {
        <g class=class transform=transform data-card=card.id.clone()>
            <rect class="gw-canvas__frame" width=WIDTH height=height rx="6"/>
            <path class="gw-canvas__side" d=format!("M6 0H3a3 3 0 0 0-3 3V{:.0}a3 3 0 0 0 3 3H6Z", height - 3.0)/>
            <text class="gw-canvas__title" x="14" y="23">{cut(&card.title, TITLE_CHARS)}</text>
            <path class="gw-canvas__rule" d=format!("M6 {:.0}H{WIDTH:.0}", HEAD - 3.0)/>
            {rows(&card)}
        </g>
    }
}

fn rows(card: &Card) -> impl IntoView + use<> {
    let row = |(n, row): (usize, &super::card::CardRow)| {
        let (label, kind) = row.texts();
        let base = HEAD + ROW * n as f64 + 13.0;
        let left = 14.0 + LEVEL * row.level as f64;
        let (mark, class) = match (row.is_key, row.is_link) {
            (true, _) => (Some(KEY), "gw-canvas__mark"),
            (false, true) => (Some(LINK), "gw-canvas__mark gw-canvas__mark--link"),
            (false, false) => (None, ""),
        };
        let name_class = match (row.is_key, row.is_calculated) {
            (true, _) => "gw-canvas__field gw-canvas__field--key",
            (false, true) => "gw-canvas__field gw-canvas__field--calculated",
            (false, false) => "gw-canvas__field",
        };
        let text_left = if mark.is_some() { left + 14.0 } else { left };
        let guide = (row.level > 0).then(|| {
            let d = format!("M{:.0} {:.0}v{ROW:.0}", left - 8.0, base - 13.0);
            view! { <path class="gw-canvas__guide" d=d/> }
        });
        view! {
            {guide}
            {mark.map(|d| view! { <path class=class d=d transform=format!("translate({left:.0} {:.0})", base - 9.0)/> })}
            <text class=name_class x=text_left y=base>{label}</text>
            <text class="gw-canvas__kind" x=WIDTH - 10.0 y=base>{kind}</text>
        }
    };
    card.rows.iter().enumerate().map(row).collect_view()
}

/// What lies over the cards.
#[component]
fn Overlay(scene: Signal<Arc<Scene>>, state: CanvasState) -> impl IntoView {
    let frames = move |of: fn(&super::marks::Marks, &Scene) -> Vec<Rect>, class: &'static str| {
        move || {
            let rects = state.marks.with(|marks| scene.with(|scene| of(marks, scene)));
            rects.into_iter().map(|rect| frame(rect, class)).collect_view()
        }
    };
    let gesture = move || match state.gesture.get() {
        Gesture::Boxing { from, to, .. } => Some(frame(Rect::between(from, to), "gw-canvas__area").into_any()),
        Gesture::Drawing { start, to, .. } => {
            let d = format!("M{:.1} {:.1}L{:.1} {:.1}", start.x, start.y, to.x, to.y);
            Some(view! { <path class="gw-canvas__edge gw-canvas__edge--new" d=d/> }.into_any())
        }
        _ => None,
    };
    view! {
        {frames(super::marks::Marks::bands, "gw-canvas__band")}
        {frames(super::marks::Marks::lit_frames, "gw-canvas__lit")}
        {frames(super::marks::Marks::chosen_frames, "gw-canvas__chosen")}
        {gesture}
    }
}

fn frame(rect: Rect, class: &'static str) -> impl IntoView {
    view! { <rect class=class x=rect.x y=rect.y width=rect.width height=rect.height rx="6"/> }
}
