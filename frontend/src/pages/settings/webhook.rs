//! Where the server sends messages about jobs: shown, and tried. Its administrator sets it.

use super::SettingsPanel;
use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::Button;
use crate::components::error_panel::ErrorPanel;
use crate::format::time;
use chrono::Local;
use godwit_shared::settings::{Delivery, WebhookSettings};
use leptos::prelude::*;

#[component]
pub fn WebhookPanel(webhook: Option<WebhookSettings>) -> impl IntoView {
    let body = match webhook {
        Some(webhook) => view! { <KnownWebhook webhook=webhook/> }.into_any(),
        None => view! {
            <p class="gw-muted" data-testid="no-webhook">
                "None is set. Started with --webhook-url, or GODWIT_WEBHOOK_URL, the server posts JSON there when a job \
                 ends, fails or stands still, falls behind, or is about to lose its log. Only who runs the server can set \
                 it: a request to any address is nothing that a page should be able to ask for."
            </p>
        }
        .into_any(),
    };
    view! { <SettingsPanel title="Webhook">{body}</SettingsPanel> }
}

#[component]
fn KnownWebhook(webhook: WebhookSettings) -> impl IntoView {
    let last = RwSignal::new(webhook.last.clone());
    let test = Action::new_local(move |(): &()| async move {
        let delivery = api::settings::test_webhook().await?;
        last.set(Some(delivery));
        Ok::<(), ApiError>(())
    });
    let press = Callback::new(move |()| {
        test.dispatch_local(());
    });
    let failure = move || test.value().get().and_then(Result::err);
    view! {
        <dl class="gw-settings__list">
            <div><dt>"Host"</dt><dd class="gw-code" data-testid="webhook-origin">{webhook.origin}</dd></div>
            <div><dt>"Tells of a lag of more than"</dt><dd>{time::duration(webhook.lag_limit_ms as f64 / 1000.0)}</dd></div>
        </dl>
        <p class="gw-field__note">"Set with --webhook-url and --webhook-lag-seconds. What follows the host is not shown: it may be a secret."</p>
        <div><Button label="Send a test" is_busy=test.pending() on_press=press attr:data-testid="webhook-test"/></div>
        <div aria-live="polite">
            {move || last.get().map(|last| view! { <Came last=last/> })}
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </div>
    }
}

/// What became of the last message.
#[component]
fn Came(last: Delivery) -> impl IntoView {
    let at = time::clock(last.at, &Local);
    let (tone, title) = match &last.failure {
        None => (Tone::Success, format!("The last message arrived at {at}")),
        Some(_) => (Tone::Warning, format!("The last message, at {at}, did not arrive")),
    };
    view! {
        <Banner tone=tone title=title attr:data-testid="webhook-came">
            {last.failure.map(|failure| view! { <p>{failure}</p> })}
        </Banner>
    }
}
