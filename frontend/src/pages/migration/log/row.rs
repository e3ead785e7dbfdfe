//! One group of the log; a button opens its details below it.

use super::order::LogIndex;
use crate::components::badge::Tone;
use crate::components::icon::{Glyph, Icon};
use crate::components::status::{Status, StatusText};
use crate::components::unique_id;
use crate::format::{number, time};
use chrono::Local;
use godwit_shared::job::{EventType, JobUpdate};
use leptos::prelude::*;

#[component]
pub fn LogRow(index: Memo<LogIndex>, key_text: String) -> impl IntoView {
    let group = Memo::new(move |_| index.with(|index| index.group(&key_text).cloned()));
    // The row goes when its group does; until then the last state stands.
    group.get_untracked().map(|first| {
        let group = Signal::derive(move || group.get().unwrap_or_else(|| first.clone()));
        view! { <GroupRow group=group/> }
    })
}

#[component]
fn GroupRow(group: Signal<JobUpdate>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let detail_id = unique_id("event");
    let controls = detail_id.clone();
    let status = Memo::new(move |_| group.with(|g| severity(g.event_type)));
    let timestamp = Memo::new(move |_| group.with(|g| g.timestamp));
    let location = move || group.with(|g| g.location_name.clone().unwrap_or_default());
    let icon = Signal::derive(move || {
        if is_open.get() {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        }
    });
    view! {
        <tbody>
            <tr data-testid="log-row">
                <td><StatusText status=status/></td>
                <td class="gw-nowrap" title=move || time::exact_utc(timestamp.get())>
                    {move || time::date_and_clock(timestamp.get(), &Local)}
                </td>
                <td class="gw-code">{location}</td>
                <td class="gw-number">{move || number::count(group.with(|g| g.count))}</td>
                <td>
                    <button
                        type="button"
                        class="gw-log__toggle"
                        aria-expanded=move || is_open.get().to_string()
                        aria-controls=controls
                        on:click=move |_| is_open.update(|open| *open = !*open)
                    >
                        <Glyph icon=icon/>
                        <span>{move || group.with(|g| g.message.clone())}</span>
                    </button>
                </td>
            </tr>
            <tr id=detail_id hidden=move || !is_open.get()>
                <td colspan="5"><EventDetails group=group/></td>
            </tr>
        </tbody>
    }
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

fn severity(kind: EventType) -> Status {
    let (icon, tone, label) = match kind {
        EventType::Error => (Icon::Error, Tone::Danger, "Error"),
        EventType::Warning => (Icon::Warning, Tone::Warning, "Warning"),
        EventType::Info => (Icon::Info, Tone::Neutral, "Info"),
    };
    Status { icon, tone, label }
}

/// What is known besides the row itself.
fn detail_lines(group: &JobUpdate) -> Vec<(&'static str, String)> {
    let key = group.key.iter().map(|(column, value)| format!("{column} = {value}"));
    let key = key.collect::<Vec<_>>().join(", ");
    let lines = [
        ("Row key", Some(key)),
        ("Field", group.field_name.clone()),
        ("Details", group.details.clone()),
        ("Code", Some(group.error_code.clone())),
        ("What to do", group.suggestion.clone()),
    ];
    let given = |(name, value): (_, Option<String>)| Some((name, value.filter(|text| !text.is_empty())?));
    lines.into_iter().filter_map(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ["Row key", "Code", "What to do"]
        );
        assert_eq!(lines[0].1, "a = 1, b = 2");
    }
}
