//! Where in a sequence of steps the user is.

use leptos::prelude::*;

#[component]
pub fn StepList(
    titles: Vec<&'static str>,
    /// From 0.
    #[prop(into)]
    current: Signal<usize>,
) -> impl IntoView {
    let item = move |(index, title): (usize, &'static str)| {
        let is_current = move || (current.get() == index).then_some("step");
        let is_done = move || index < current.get();
        view! {
            <li class="gw-steps__step" aria-current=is_current data-done=move || is_done().to_string()>
                <span class="gw-steps__number">{index + 1}</span>
                {title}
            </li>
        }
    };
    view! { <ol class="gw-steps">{titles.into_iter().enumerate().map(item).collect_view()}</ol> }
}
