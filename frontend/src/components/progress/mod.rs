//! A bar for a share of 0 to 100.

use super::badge::Tone;
use leptos::prelude::*;

#[component]
pub fn ProgressBar(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] percent: Signal<f64>,
    /// What is read out instead of the bare number.
    #[prop(into)]
    value_text: Signal<String>,
    #[prop(optional, into)] tone: Signal<Tone>,
) -> impl IntoView {
    let share = move || percent.get().clamp(0.0, 100.0);
    view! {
        <div
            class="gw-progress"
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || (share().floor() as u32).to_string()
            aria-valuetext=value_text
            data-tone=move || tone.get().name()
        >
            <div class="gw-progress__bar" style:width=move || format!("{:.2}%", share())></div>
        </div>
    }
}
