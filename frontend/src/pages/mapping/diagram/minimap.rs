//! The whole diagram in a corner, with the part of it that is in sight.

use super::canvas::CanvasState;
use super::drawing::draw_rect;
use super::geometry::{Point, Rect};
use leptos::html;
use leptos::prelude::*;
use web_sys::PointerEvent;

/// Around the cards, as a share of the whole.
const MARGIN: f64 = 0.04;

#[component]
pub fn MiniMap(state: CanvasState) -> impl IntoView {
    let bounds = Memo::new(move |_| {
        let all = state.scene.with(|scene| scene.bounds()).unwrap_or_default();
        all.grown((all.width * MARGIN).max(1.0), (all.height * MARGIN).max(1.0))
    });
    let boxes = Memo::new(move |_| {
        let mut path = String::new();
        state
            .scene
            .with(|scene| scene.cards.iter().for_each(|card| draw_rect(&mut path, card.rect)));
        path
    });
    let view_box = move || {
        let Rect { x, y, width, height } = bounds.get();
        format!("{x:.0} {y:.0} {width:.0} {height:.0}")
    };
    let seen = Memo::new(move |_| state.view.get().seen(state.window.get()));
    let is_needed = Memo::new(move |_| !seen.get().covers(bounds.get()));
    let element = NodeRef::<html::Div>::new();
    let is_held = StoredValue::new(false);
    let go = move |event: &PointerEvent| {
        let Some(map) = element.get_untracked() else { return };
        let size = (f64::from(map.client_width()), f64::from(map.client_height()));
        let at = point(
            bounds.get_untracked(),
            size,
            f64::from(event.offset_x()),
            f64::from(event.offset_y()),
        );
        let window = state.window.get_untracked();
        state.view.update(|view| *view = view.centred(at, window));
    };
    let on_down = move |event: PointerEvent| {
        if let Some(map) = element.get_untracked() {
            let _ = map.set_pointer_capture(event.pointer_id());
        }
        is_held.set_value(true);
        go(&event);
    };
    let on_move = move |event: PointerEvent| {
        if is_held.get_value() {
            go(&event);
        }
    };
    view! {
        <div
            node_ref=element
            class="gw-canvas__map"
            class:gw-canvas__map--unneeded=move || !is_needed.get()
            aria-hidden="true"
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=move |_| is_held.set_value(false)
            on:pointercancel=move |_| is_held.set_value(false)
        >
            <svg class="gw-canvas__svg" width="100%" height="100%" viewBox=view_box>
                <path class="gw-canvas__map-card" d=move || boxes.get()/>
                <rect
                    class="gw-canvas__map-seen"
                    x=move || seen.get().x
                    y=move || seen.get().y
                    width=move || seen.get().width
                    height=move || seen.get().height
                />
            </svg>
        </div>
    }
}

/// The point of the diagram below a pixel of the map, which keeps the proportions and stands in the middle.
fn point(bounds: Rect, (width, height): (f64, f64), x: f64, y: f64) -> Point {
    let scale = (width / bounds.width)
        .min(height / bounds.height)
        .max(f64::MIN_POSITIVE);
    let (left, top) = (
        (width - bounds.width * scale) / 2.0,
        (height - bounds.height * scale) / 2.0,
    );
    Point::new(bounds.x + (x - left) / scale, bounds.y + (y - top) / scale)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Size;
    use super::*;

    #[test]
    fn a_point_of_the_map_is_one_of_the_diagram() {
        let bounds = Rect::new(Point::new(-100.0, 0.0), Size::new(400.0, 100.0));
        let at = |x, y| point(bounds, (200.0, 100.0), x, y);
        assert_eq!(at(100.0, 50.0), Point::new(100.0, 50.0));
        assert_eq!(at(0.0, 25.0), Point::new(-100.0, 0.0));
    }
}
