//! One group of the log; a button opens its details below it.

use super::{Log, again};
use crate::components::badge::Tone;
use crate::components::icon::{Glyph, Icon};
use crate::components::status::{Status, StatusText};
use crate::components::unique_id;
use crate::format::{number, time};
use crate::pages::migration::use_migration;
use crate::routes;
use chrono::Local;
use godwit_shared::job::{EventType, JobUpdate, LocationType};
use godwit_shared::project::ProjectCollection;
use leptos::html;
use leptos::prelude::*;

#[component]
pub fn LogRow(
    log: Log,
    key_text: String,
    /// All rows in order: where this one stands among them.
    keys: Memo<Vec<String>>,
) -> impl IntoView {
    let key = StoredValue::new(key_text);
    let group = Memo::new(move |_| log.index.with(|index| key.with_value(|key| index.group(key).cloned())));
    // The row goes when its group does; until then the last state stands.
    group.get_untracked().map(|first| {
        let group = Signal::derive(move || group.get().unwrap_or_else(|| first.clone()));
        let is_open = Memo::new(move |_| log.open.with(|open| key.with_value(|key| open.contains_key(key))));
        // The head is the first row.
        let row_index = move || {
            let place = keys.with(|keys| key.with_value(|key| keys.iter().position(|other| other == key)));
            place.map(|place| (place + 2).to_string())
        };
        let toggle = Callback::new(move |()| key.with_value(|key| log.toggle(key)));
        let measured = Callback::new(move |height| key.with_value(|key| log.measured(key, height)));
        let details_id = unique_id("event");
        let id = details_id.clone();
        let details = move || {
            let id = id.clone();
            is_open.get().then(|| view! { <DetailsRow id=id group=group on_measured=measured/> })
        };
        view! {
            <tbody>
                <GroupRow log=log group=group is_open=is_open details_id=details_id on_toggle=toggle attr:aria-rowindex=row_index/>
                {details}
            </tbody>
        }
    })
}

#[component]
fn GroupRow(
    log: Log,
    group: Signal<JobUpdate>,
    is_open: Memo<bool>,
    details_id: String,
    on_toggle: Callback<()>,
) -> impl IntoView {
    let row = NodeRef::<html::Tr>::new();
    Effect::new(move |_| {
        if let Some(row) = row.get() {
            request_animation_frame(move || {
                let height = f64::from(row.offset_height());
                // Nothing, where the row has gone again by now.
                if height > 0.0 && log.row_height.try_get_untracked().is_some_and(|known| known != height) {
                    log.row_height.set(height);
                }
            });
        }
    });
    let status = Memo::new(move |_| group.with(|g| severity(g.event_type)));
    let timestamp = Memo::new(move |_| group.with(|g| g.timestamp));
    let location = move || group.with(|g| g.location_name.clone().unwrap_or_default());
    let field = move || group.with(|g| g.field_name.clone().unwrap_or_default());
    let message = move || group.with(|g| g.message.clone());
    let icon = Signal::derive(move || {
        if is_open.get() {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        }
    });
    view! {
        <tr data-testid="log-row" node_ref=row>
            <td><StatusText status=status/></td>
            <td title=move || time::exact_utc(timestamp.get())>{move || time::date_and_clock(timestamp.get(), &Local)}</td>
            <td class="gw-code gw-log__cut" title=location>{location}</td>
            <td class="gw-code gw-log__cut" title=field data-testid="log-field">{field}</td>
            <td class="gw-number">{move || number::count(group.with(|g| g.count))}</td>
            <td class="gw-log__cut">
                <button
                    type="button"
                    class="gw-log__toggle"
                    title=message
                    aria-expanded=move || is_open.get().to_string()
                    aria-controls=details_id
                    on:click=move |_| on_toggle.run(())
                >
                    <Glyph icon=icon/>
                    <span class="gw-log__cut">{message}</span>
                </button>
            </td>
        </tr>
    }
}

/// What is open below a row.
#[component]
fn DetailsRow(id: String, group: Signal<JobUpdate>, on_measured: Callback<f64>) -> impl IntoView {
    let row = NodeRef::<html::Tr>::new();
    Effect::new(move |_| {
        group.track();
        if let Some(row) = row.get() {
            request_animation_frame(move || on_measured.run(f64::from(row.offset_height())));
        }
    });
    view! { <tr id=id node_ref=row><td colspan="6"><EventDetails group=group/><RuleLink group=group/></td></tr> }
}

/// Key, field, code and advice.
#[component]
fn EventDetails(group: Signal<JobUpdate>) -> impl IntoView {
    let lines = Memo::new(move |_| group.with(detail_lines));
    let line = |(name, value): (&'static str, String)| {
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
    };
    view! { <dl class="gw-log__details">{move || lines.get().into_iter().map(line).collect_view()}</dl> }
}

/// Leads to the rule that the event is about.
#[component]
fn RuleLink(group: Signal<JobUpdate>) -> impl IntoView {
    let context = use_migration();
    let collections = context.collections();
    let target = Memo::new(move |_| {
        let group = group.get();
        collections.with(|all| rule_of(&group, all).map(|c| (c.name.clone(), c.id.clone())))
    });
    move || {
        target.get().map(|(name, id)| {
            let path = routes::mapping_of(&context.project.get(), &id);
            view! { <a href=path data-testid="rule-link">"Mapping of " <span class="gw-code">{name}</span></a> }
        })
    }
}

/// The collection whose rule made what an event tells of.
fn rule_of<'a>(group: &JobUpdate, collections: &'a [ProjectCollection]) -> Option<&'a ProjectCollection> {
    let place = group.location_name.as_ref()?;
    match group.location_type? {
        LocationType::Collection => collections.iter().find(|c| c.name == *place),
        LocationType::Table => collections.iter().find(|c| c.tables.contains(place)),
    }
}

pub fn severity(kind: EventType) -> Status {
    let (icon, tone, label) = match kind {
        EventType::Error => (Icon::Error, Tone::Danger, "Error"),
        EventType::Warning => (Icon::Warning, Tone::Warning, "Warning"),
        EventType::Info => (Icon::Info, Tone::Neutral, "Info"),
    };
    Status::new(icon, tone, label)
}

/// What is known besides the row itself.
fn detail_lines(group: &JobUpdate) -> Vec<(&'static str, String)> {
    let key = group.key.iter().map(|(column, value)| format!("{column} = {value}"));
    let key = key.collect::<Vec<_>>().join(", ");
    let lines = [
        ("Event", Some(group.message.clone())),
        ("Row key", Some(key)),
        ("Field", group.field_name.clone()),
        ("Details", group.details.clone()),
        ("Code", Some(group.error_code.clone())),
        ("What to do", group.suggestion.clone()),
        ("A second try", again::advice(group)),
    ];
    let given = |(name, value): (_, Option<String>)| Some((name, value.filter(|text| !text.is_empty())?));
    lines.into_iter().filter_map(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_leads_to_its_rule() {
        let collection = |name: &str, tables: &[&str]| ProjectCollection {
            id: godwit_shared::ids::CollectionId::new(name),
            name: name.into(),
            tables: tables.iter().map(|t| (*t).to_owned()).collect(),
        };
        let all = [
            collection("orders", &["shop.orders"]),
            collection("people", &["shop.person", "shop.pet"]),
        ];
        let check = |kind, name: Option<&str>, expected: Option<&str>| {
            let group = JobUpdate {
                location_type: kind,
                location_name: name.map(Into::into),
                ..crate::pages::migration::log::order::tests::update(EventType::Error, "m", 1, 1)
            };
            assert_eq!(rule_of(&group, &all).map(|c| &*c.name), expected);
        };
        check(Some(LocationType::Table), Some("shop.pet"), Some("people"));
        check(Some(LocationType::Collection), Some("orders"), Some("orders"));
        check(Some(LocationType::Table), Some("gone"), None);
        check(None, None, None);
    }

    #[test]
    fn only_what_is_known_is_shown() {
        let group: JobUpdate = serde_json::from_value(serde_json::json!({
            "eventType": "ERROR", "stage": "SNAPSHOTTING", "message": "m", "timestamp": "2026-11-03T10:00:00Z",
            "errorCode": "value_not_convertible", "suggestion": "Map it to a string.", "key": {"a": "1", "b": "2"},
            "count": 3
        }))
        .unwrap();
        let lines = detail_lines(&group);
        assert_eq!(
            lines.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
            ["Event", "Row key", "Code", "What to do", "A second try"]
        );
        assert_eq!(lines[1].1, "a = 1, b = 2");
    }
}
