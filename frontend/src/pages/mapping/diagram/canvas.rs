//! The window onto one view of a diagram: pointer, wheel and keys move it, choose on it, and draw on it.

use super::drawing::Drawing;
use super::geometry::{Point, Rect, Size};
use super::gesture::{Gesture, Outcome, Tool};
use super::marks::Marks;
use super::minimap::MiniMap;
use super::saved::Side;
use super::scene::{Direction, Hit, Scene};
use super::view::{Detail, Drawn, View};
use super::zoom_bar::ZoomBar;
use crate::browser;
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use web_sys::{KeyboardEvent, PointerEvent, WheelEvent};

/// One press of a button or key.
const ZOOM_STEP: f64 = 1.25;
/// One press of an arrow key, pixels.
const PAN_STEP: f64 = 60.0;

/// What the user does on a canvas.
#[derive(Clone, Copy)]
pub struct CanvasCalls {
    /// Chosen cards, or a line.
    pub on_choose: Callback<Choice>,
    /// What lies below the pointer.
    pub on_point: Callback<Option<Hit>>,
    /// Cards at their new places.
    pub on_move: Callback<Vec<(String, Point)>>,
    /// A line from one thing to another.
    pub on_draw: Callback<(Hit, Hit)>,
    /// A card is dragged to a place of the window outside of its canvas, and whether it is let go there.
    pub on_carry: Callback<(String, Point, bool)>,
    /// *Delete*: what is chosen is to go.
    pub on_remove: Callback<()>,
    /// *H*: what is chosen is to be hidden here.
    pub on_hide: Callback<()>,
}

/// What was chosen on a canvas.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    Nothing,
    Hit { hit: Hit, is_additive: bool },
    Cards { ids: Vec<String>, is_additive: bool },
}

/// State of one canvas. The page keeps it, so that it can bring cards into sight.
#[derive(Clone, Copy)]
pub struct CanvasState {
    pub side: Side,
    pub view: RwSignal<View>,
    pub window: RwSignal<Size>,
    pub tool: RwSignal<Tool>,
    pub gesture: RwSignal<Gesture>,
    /// Without what is being moved right now.
    pub scene: Signal<Arc<Scene>>,
    pub marks: Signal<Arc<Marks>>,
    /// Whether it has been fitted once.
    is_fitted: RwSignal<bool>,
    /// The view that fitted it last: as long as nobody moves it, it is fitted to every size of the window.
    fitted: StoredValue<Option<View>>,
}

impl CanvasState {
    pub fn new(side: Side, tool: RwSignal<Tool>, scene: Signal<Arc<Scene>>, marks: Signal<Arc<Marks>>) -> Self {
        Self {
            side,
            view: RwSignal::new(View::default()),
            window: RwSignal::new(Size::default()),
            tool,
            gesture: RwSignal::new(Gesture::None),
            scene,
            marks,
            is_fitted: RwSignal::new(false),
            fitted: StoredValue::new(None),
        }
    }

    pub fn fit(self) {
        let bounds = self.scene.with_untracked(|scene| scene.bounds());
        let window = self.window.get_untracked();
        if let Some(bounds) = bounds.filter(|_| window.width > 0.0) {
            let view = View::fitted(bounds, window);
            self.fitted.set_value(Some(view));
            self.view.set(view);
        }
    }

    /// Fits at the next size or scene that there is.
    pub fn fit_soon(self) {
        self.is_fitted.set(false);
    }

    pub fn zoom(self, factor: f64) {
        let window = self.window.get_untracked();
        let middle = Point::new(window.width / 2.0, window.height / 2.0);
        self.view.update(|view| *view = view.zoomed(middle, factor));
    }

    pub fn zoom_in(self) {
        self.zoom(ZOOM_STEP);
    }

    pub fn zoom_out(self) {
        self.zoom(1.0 / ZOOM_STEP);
    }

    /// Brings a card into the middle, large enough to be read.
    pub fn center_on(self, id: &str) {
        let rect = self.scene.with_untracked(|scene| scene.card(id).map(|card| card.rect));
        let window = self.window.get_untracked();
        if let Some(rect) = rect {
            self.view.update(|view| {
                let zoom = if view.detail() == Detail::Rows { view.zoom } else { 0.8 };
                *view = View { zoom, ..*view }.centred(rect.center(), window);
            });
        }
    }

    /// Brings a card into sight where it is not.
    pub fn reveal(self, id: &str) {
        let rect = self.scene.with_untracked(|scene| scene.card(id).map(|card| card.rect));
        let window = self.window.get_untracked();
        if let Some(rect) = rect {
            self.view.update(|view| *view = view.revealing(rect, window));
        }
    }

    /// What lies below a pixel of the canvas.
    pub fn at(self, pixel: Point) -> Option<Hit> {
        let view = self.view.get_untracked();
        let has_rows = view.detail() == Detail::Rows;
        self.scene
            .with_untracked(|scene| scene.at(view.to_diagram(pixel), view.zoom, has_rows))
    }

    fn chosen(self) -> Vec<String> {
        self.marks.with_untracked(|marks| marks.chosen.clone())
    }
}

/// The pixel of an event. Everything inside of the canvas lets the pointer through, so that it is its own.
fn pixel(event: &PointerEvent) -> Point {
    Point::new(f64::from(event.offset_x()), f64::from(event.offset_y()))
}

/// The pixel of the window.
fn client(event: &PointerEvent) -> Point {
    Point::new(f64::from(event.client_x()), f64::from(event.client_y()))
}

fn is_outside(state: CanvasState, event: &PointerEvent) -> bool {
    let window = Rect::new(Point::default(), state.window.get_untracked());
    !window.contains(pixel(event))
}

#[component]
pub fn Canvas(
    state: CanvasState,
    calls: CanvasCalls,
    #[prop(into)] label: Signal<String>,
    /// Said of what the keys lead to.
    #[prop(into)]
    said: Signal<String>,
) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    watch_size(state, element);
    let drawn =
        Memo::new(move |before: Option<&Drawn>| Drawn::next(before.copied(), state.view.get(), state.window.get()));
    let on_down = move |event: PointerEvent| {
        if event.button() > 1 {
            return;
        }
        if let Some(element) = element.get_untracked() {
            let _ = element.set_pointer_capture(event.pointer_id());
        }
        let tool = match (event.shift_key(), event.button()) {
            (true, _) => Tool::Select,
            _ => state.tool.get_untracked(),
        };
        state.gesture.set(Gesture::Pressed {
            pixel: pixel(&event),
            hit: state.at(pixel(&event)).filter(|_| event.button() == 0),
            tool,
            is_additive: event.ctrl_key() || event.meta_key(),
        });
    };
    let on_move = move |event: PointerEvent| match state.gesture.get_untracked() {
        Gesture::None => calls.on_point.run(state.at(pixel(&event))),
        gesture => {
            let before = state.view.get_untracked();
            let (gesture, view) = gesture.dragged(pixel(&event), before, &state.chosen());
            if let (Gesture::Moving { ids, .. }, true) = (&gesture, is_outside(state, &event)) {
                ids.iter()
                    .take(1)
                    .for_each(|id| calls.on_carry.run((id.clone(), client(&event), false)));
            }
            state.gesture.set(gesture);
            if view != before {
                state.view.set(view);
            }
        }
    };
    let on_up = move |event: PointerEvent| {
        let gesture = state.gesture.get_untracked();
        state.gesture.set(Gesture::None);
        match gesture.released() {
            Outcome::Moved { ids, .. } if is_outside(state, &event) => {
                ids.into_iter()
                    .take(1)
                    .for_each(|id| calls.on_carry.run((id, client(&event), true)));
            }
            outcome => settle(state, calls, outcome),
        }
    };
    let on_wheel = move |event: WheelEvent| {
        event.prevent_default();
        let at = Point::new(f64::from(event.offset_x()), f64::from(event.offset_y()));
        state.view.update(|view| {
            *view = match event.ctrl_key() || event.meta_key() {
                true => view.zoomed(at, (-event.delta_y() * 0.004).exp()),
                false => match event.shift_key() {
                    true => view.panned(-event.delta_y(), 0.0),
                    false => view.panned(-event.delta_x(), -event.delta_y()),
                },
            }
        });
    };
    let on_key = move |event: KeyboardEvent| {
        if press(state, calls, &event) {
            event.prevent_default();
        }
    };
    let cursor = move || match state.gesture.with(|gesture| matches!(gesture, Gesture::Panning { .. })) {
        true => "panning",
        false => match state.tool.get() {
            Tool::Move => "move",
            Tool::Select | Tool::Key => "cross",
        },
    };
    view! {
        <div class="gw-canvas" data-side=state.side.member()>
            <div
                node_ref=element
                class="gw-canvas__window"
                role="application"
                tabindex="0"
                aria-label=label
                data-cursor=cursor
                data-drop="canvas"
                on:pointerdown=on_down
                on:pointermove=on_move
                on:pointerup=on_up
                on:pointercancel=move |_| state.gesture.set(Gesture::None)
                on:pointerleave=move |_| calls.on_point.run(None)
                on:wheel=on_wheel
                on:keydown=on_key
            >
                <Drawing state=state drawn=drawn/>
            </div>
            <p class="gw-visually-hidden" aria-live="polite">{said}</p>
            <MiniMap state=state/>
            <ZoomBar state=state/>
        </div>
    }
}

fn settle(state: CanvasState, calls: CanvasCalls, outcome: Outcome) {
    match outcome {
        Outcome::Nothing => {}
        Outcome::Clicked { hit: None, .. } => calls.on_choose.run(Choice::Nothing),
        Outcome::Clicked {
            hit: Some(hit),
            is_additive,
        } => calls.on_choose.run(Choice::Hit { hit, is_additive }),
        Outcome::Boxed { area, is_additive } => {
            let ids = state.scene.with_untracked(|scene| scene.ids_in(area));
            calls.on_choose.run(Choice::Cards { ids, is_additive });
        }
        Outcome::Moved { ids, by } => {
            let place = |scene: &Arc<Scene>, id: String| {
                let rect = scene.card(&id)?.rect;
                Some((id, Point::new((rect.x + by.x).round(), (rect.y + by.y).round())))
            };
            let places = state
                .scene
                .with_untracked(|scene| ids.into_iter().filter_map(|id| place(scene, id)).collect());
            calls.on_move.run(places);
        }
        Outcome::Drawn { from, to } => {
            let view = state.view.get_untracked();
            let to = state
                .scene
                .with_untracked(|scene| scene.at(to, view.zoom, view.detail() == Detail::Rows));
            if let Some(to) = to {
                calls.on_draw.run((from, to));
            }
        }
    }
}

/// Whether the key means something here.
fn press(state: CanvasState, calls: CanvasCalls, event: &KeyboardEvent) -> bool {
    let key = event.key();
    let direction = match key.as_str() {
        "ArrowLeft" => Some(Direction::Left),
        "ArrowRight" => Some(Direction::Right),
        "ArrowUp" => Some(Direction::Up),
        "ArrowDown" => Some(Direction::Down),
        _ => None,
    };
    match (direction, key.as_str()) {
        (Some(direction), _) if event.shift_key() => pan(state, direction),
        (Some(direction), _) if event.alt_key() => shift(state, calls, direction),
        (Some(direction), _) if !(event.ctrl_key() || event.meta_key()) => go(state, calls, direction),
        (None, "+" | "=") => state.zoom_in(),
        (None, "-") => state.zoom_out(),
        (None, "0") => state.fit(),
        (None, "Escape") => calls.on_choose.run(Choice::Nothing),
        (None, "Delete") => calls.on_remove.run(()),
        (None, "h") if !(event.ctrl_key() || event.meta_key()) => calls.on_hide.run(()),
        _ => return false,
    }
    true
}

fn steps(direction: Direction, step: f64) -> Point {
    match direction {
        Direction::Left => Point::new(-step, 0.0),
        Direction::Right => Point::new(step, 0.0),
        Direction::Up => Point::new(0.0, -step),
        Direction::Down => Point::new(0.0, step),
    }
}

fn pan(state: CanvasState, direction: Direction) {
    let Point { x, y } = steps(direction, PAN_STEP);
    state.view.update(|view| *view = view.panned(-x, -y));
}

/// Moves what is chosen.
fn shift(state: CanvasState, calls: CanvasCalls, direction: Direction) {
    let by = steps(direction, PAN_STEP / 3.0);
    let ids = state.chosen();
    settle(state, calls, Outcome::Moved { ids, by });
}

/// Chooses the next card.
fn go(state: CanvasState, calls: CanvasCalls, direction: Direction) {
    let from = state.chosen().into_iter().next();
    let next = state
        .scene
        .with_untracked(|scene| scene.next(from.as_deref(), direction).map(|card| card.card.id.clone()));
    if let Some(id) = next {
        state.reveal(&id);
        let hit = Hit::Card(id);
        calls.on_choose.run(Choice::Hit {
            hit,
            is_additive: false,
        });
    }
}

/// Follows the size of the element; the first one, and the first cards, are fitted into it.
fn watch_size(state: CanvasState, element: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let measured = element.clone();
        browser::on_resize(&element, move || {
            let size = Size::new(f64::from(measured.client_width()), f64::from(measured.client_height()));
            if state.window.try_get_untracked().is_some_and(|before| before != size) {
                let is_untouched = state.fitted.get_value() == state.view.try_get_untracked();
                state.window.set(size);
                if is_untouched {
                    state.fit();
                }
            }
        });
    });
    Effect::new(move |_| {
        let has_room = state.window.with(|window| window.width > 0.0);
        let has_cards = state.scene.with(|scene| !scene.cards.is_empty());
        if has_room && has_cards && !state.is_fitted.get() {
            state.is_fitted.set(true);
            state.fit();
        }
    });
}
