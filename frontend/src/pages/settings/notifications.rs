//! Whether this browser tells of jobs while nobody looks at them.

use super::SettingsPanel;
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone};
use crate::components::select::{SelectField, SelectOption};
use crate::notify::{Permission, use_notifications};
use leptos::prelude::*;
use reactive_stores::Store;

/// Limits of the lag to choose from, ms.
const LIMITS: [(u64, &str); 5] = [
    (10_000, "10 seconds"),
    (60_000, "1 minute"),
    (300_000, "5 minutes"),
    (1_800_000, "30 minutes"),
    (7_200_000, "2 hours"),
];

#[derive(Clone, PartialEq, Store)]
struct Chosen {
    limit: String,
}

#[component]
pub fn NotificationSettings() -> impl IntoView {
    let own = use_notifications();
    let is_on = Memo::new(move |_| own.wish.get().is_on && own.permission.get() == Permission::Granted);
    let turn_on = Callback::new(move |()| own.turn_on());
    let turn_off = Callback::new(move |()| own.turn_off());
    let chosen = Store::new(Chosen {
        limit: own.wish.get_untracked().lag_limit_ms.to_string(),
    });
    Effect::new(move |_| {
        if let Ok(limit) = chosen.limit().get().parse() {
            own.set_lag_limit(limit);
        }
    });
    let limits: Vec<SelectOption> = LIMITS
        .into_iter()
        .map(|(limit, label)| SelectOption::new(limit.to_string(), label))
        .collect();
    let refused = move || {
        let text = match own.permission.get() {
            Permission::Denied => {
                "This browser refuses them for this page. Allow them in its own settings of the page, then turn them on here."
            }
            Permission::Missing => "This browser has none, or not for this address.",
            Permission::Open | Permission::Granted => return None,
        };
        Some(view! { <Banner tone=Tone::Warning title="Notifications are not possible"><p>{text}</p></Banner> })
    };
    let off = move || {
        view! {
            <div>
                <Button
                    label="Turn notifications on"
                    tone=ButtonTone::Primary
                    on_press=turn_on
                    attr:data-testid="notifications-on"
                />
            </div>
        }
    };
    view! {
        <SettingsPanel title="Notifications">
            <p>
                "This browser tells when a job ends, fails or stands still, when it falls behind, and when the source is about \
                 to discard the log that it needs: as long as a tab of Godwit is open, whatever you look at."
            </p>
            {refused}
            <Show when=move || is_on.get() fallback=off>
                <p data-testid="notifications-are-on">"Notifications are on in this browser."</p>
                <div class="gw-settings__field">
                    <SelectField
                        label="Tell me of a lag of more than"
                        value=chosen.limit()
                        options=limits.clone()
                        testid="notifications-lag"
                    />
                </div>
                <div>
                    <Button label="Turn notifications off" on_press=turn_off attr:data-testid="notifications-off"/>
                </div>
            </Show>
        </SettingsPanel>
    }
}
