//! Environment tags: their names, colours and order.

use crate::components::badge::{Badge, Tone};
use crate::components::select::SelectOption;
use crate::format::wire_name;
use godwit_shared::connection::EnvironmentTag;
use leptos::prelude::*;

/// In the order of lists: what needs most care first.
pub const TAGS: [EnvironmentTag; 6] = [
    EnvironmentTag::Production,
    EnvironmentTag::Staging,
    EnvironmentTag::Qa,
    EnvironmentTag::Development,
    EnvironmentTag::Demo,
    EnvironmentTag::None,
];

pub fn label(tag: EnvironmentTag) -> &'static str {
    match tag {
        EnvironmentTag::Production => "Production",
        EnvironmentTag::Staging => "Staging",
        EnvironmentTag::Qa => "QA",
        EnvironmentTag::Development => "Development",
        EnvironmentTag::Demo => "Demo",
        EnvironmentTag::None => "None",
    }
}

fn tone(tag: EnvironmentTag) -> Tone {
    match tag {
        EnvironmentTag::Production => Tone::Danger,
        EnvironmentTag::Staging => Tone::Warning,
        EnvironmentTag::Qa => Tone::Accent,
        EnvironmentTag::Development => Tone::Success,
        EnvironmentTag::Demo | EnvironmentTag::None => Tone::Neutral,
    }
}

/// The place in lists.
pub fn rank(tag: EnvironmentTag) -> usize {
    TAGS.iter().position(|other| *other == tag).unwrap_or(TAGS.len())
}

/// For a select; its values are the names of the API.
pub fn options() -> Vec<SelectOption> {
    TAGS.iter()
        .rev()
        .map(|tag| SelectOption::new(wire_name(tag), label(*tag)))
        .collect()
}

/// The tag of a value of [`options`].
pub fn from_value(value: &str) -> EnvironmentTag {
    TAGS.into_iter().find(|tag| wire_name(tag) == value).unwrap_or_default()
}

/// Nothing, where there is no tag.
#[component]
pub fn EnvironmentMark(tag: EnvironmentTag) -> impl IntoView {
    (tag != EnvironmentTag::None).then(|| view! { <Badge text=label(tag).to_owned() tone=tone(tag)/> })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lead_back_to_their_tags() {
        for option in options() {
            assert_eq!(wire_name(&from_value(&option.value)), option.value);
        }
        assert_eq!(from_value("?"), EnvironmentTag::None);
        assert!(rank(EnvironmentTag::Production) < rank(EnvironmentTag::None));
    }
}
