//! A collection as a time series: its time and meta fields, and what follows from it.

use super::faults::error_at;
use super::inputs::{Choice, TextInput, Toggle};
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::{Draft, Edit, Granularity, Part, Place, TimeSeries, time_series, types};
use godwit_shared::ids::CollectionId;
use godwit_shared::mapping::{FieldType, Mapping};
use leptos::prelude::*;
use std::collections::HashSet;

/// MongoDB looks for both fields at the first level alone.
fn is_first_level(name: &str) -> bool {
    !name.contains('.') && name != "_id"
}

/// The dates of a rule's documents.
fn dates_of(draft: &Draft, rule: &godwit_shared::ids::MappingId, mapping: &Mapping) -> Vec<String> {
    let Some((_, table)) = draft.table_of(rule) else {
        return Vec::new();
    };
    let columns = mapping.fields.iter().filter(|(column, field)| {
        let column = table.columns.get(*column);
        let is_date = column.is_some_and(|c| types::shown(c, field.target.kind) == FieldType::Date);
        is_date && field.target.included
    });
    let calculated = mapping.calculated_fields.values();
    let calculated = calculated.filter(|field| field.kind == Some(FieldType::Date));
    columns
        .map(|(_, field)| field.target.name.clone())
        .chain(calculated.map(|field| field.name.clone()))
        .filter(|name| is_first_level(name))
        .collect()
}

/// The fields that can be the time: dates in the documents of every rule.
pub fn time_fields(draft: &Draft, collection: &CollectionId) -> Vec<String> {
    let mut roots = draft.content.roots_of(collection);
    let Some((rule, mapping)) = roots.next() else {
        return Vec::new();
    };
    let mut common = dates_of(draft, rule, mapping);
    for (rule, mapping) in roots {
        let others: HashSet<String> = dates_of(draft, rule, mapping).into_iter().collect();
        common.retain(|name| others.contains(name));
    }
    common
}

/// The fields that can tell the series apart: all of the first level but the time.
pub fn meta_fields(draft: &Draft, collection: &CollectionId, time: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (rule, mapping) in draft.content.roots_of(collection) {
        let fields = mapping.fields.values().filter(|field| field.target.included);
        let fields = fields.map(|field| field.target.name.clone());
        let calculated = mapping.calculated_fields.values().map(|field| field.name.clone());
        let below = draft.content.children_of(rule).filter_map(|child| draft.rule(child));
        let below = below.filter_map(|child| child.settings.embedded_path.clone());
        for name in fields.chain(calculated).chain(below) {
            let first = name.split('.').next().unwrap_or_default().to_owned();
            if !first.is_empty() && first != "_id" && first != time && !names.contains(&first) {
                names.push(first);
            }
        }
    }
    names
}

const GRANULARITIES: [(Granularity, &str); 3] = [
    (Granularity::Seconds, "seconds"),
    (Granularity::Minutes, "minutes"),
    (Granularity::Hours, "hours"),
];

fn named(names: Vec<String>) -> Vec<(String, String)> {
    names.into_iter().map(|name| (name.clone(), name)).collect()
}

#[component]
pub fn TimeSeriesFields(collection: CollectionId) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(collection);
    let now = Memo::new(move |_| {
        id.with_value(|id| bench.with_content(|content| content.collections.get(id).and_then(time_series)))
    });
    let times = Memo::new(move |_| id.with_value(|id| bench.with(|draft| time_fields(draft, id))));
    let is_on = Memo::new(move |_| now.with(Option::is_some));
    let set = move |settings: Option<TimeSeries>| {
        let collection = id.get_value();
        bench.apply(Edit::SetTimeSeries { collection, settings });
    };
    let toggle = Callback::new(move |is_on: bool| {
        let first = times.with_untracked(|times| times.first().cloned());
        let settings = first.filter(|_| is_on).map(|time_field| TimeSeries {
            time_field,
            meta_field: None,
            granularity: None,
            expire_after_seconds: None,
        });
        set(settings);
    });
    let can_be = Memo::new(move |_| is_on.get() || times.with(|times| !times.is_empty()));
    view! {
        <section class="gw-forms__part" aria-label="Time series">
            <Show
                when=move || can_be.get()
                fallback=|| view! {
                    <p class="gw-muted" data-testid="no-time-field">
                        "It cannot be a time series: no field of the first level is a date. A text can be one, if its type is changed."
                    </p>
                }
            >
                <Toggle label="Time series collection" is_on=is_on on_change=toggle testid="time-series"/>
            </Show>
            <Show when=move || is_on.get()><Fields collection=id now=now times=times/></Show>
        </section>
    }
}

#[component]
fn Fields(
    collection: StoredValue<CollectionId>,
    now: Memo<Option<TimeSeries>>,
    times: Memo<Vec<String>>,
) -> impl IntoView {
    let bench = use_workbench();
    let error = error_at(Place::of_collection(&collection.get_value(), Part::TimeSeries));
    let change = move |change: &dyn Fn(&mut TimeSeries)| {
        let Some(mut settings) = now.get_untracked() else {
            return;
        };
        change(&mut settings);
        bench.apply(Edit::SetTimeSeries {
            collection: collection.get_value(),
            settings: Some(settings),
        });
    };
    let text = move |read: fn(&TimeSeries) -> Option<String>| {
        Signal::derive(move || now.with(|now| now.as_ref().and_then(read)).unwrap_or_default())
    };
    let time = text(|settings| Some(settings.time_field.clone()));
    // A field that is no date any more stays in sight, with its error.
    let time_options = Memo::new(move |_| {
        let mut names = times.get();
        if !names.contains(&time.get()) {
            names.insert(0, time.get());
        }
        named(names)
    });
    let meta = text(|settings| settings.meta_field.clone());
    let meta_options = Memo::new(move |_| {
        let names = collection.with_value(|id| bench.with(|draft| meta_fields(draft, id, &time.get())));
        let none = (String::new(), "None: one series".to_owned());
        std::iter::once(none).chain(named(names)).collect::<Vec<_>>()
    });
    let granularity = text(|settings| {
        let of = GRANULARITIES.iter().find(|(own, _)| Some(*own) == settings.granularity);
        of.map(|(_, name)| (*name).to_owned())
    });
    let granularities: Vec<_> = std::iter::once((String::new(), "As MongoDB chooses (seconds)".to_owned()))
        .chain(GRANULARITIES.map(|(_, name)| (name.to_owned(), name.to_owned())))
        .collect();
    let expire = text(|settings| settings.expire_after_seconds.map(|n| n.to_string()));
    let set_time = Callback::new(move |name: String| {
        change(&|settings: &mut TimeSeries| {
            settings.meta_field = settings.meta_field.take().filter(|meta| *meta != name);
            settings.time_field.clone_from(&name);
        });
    });
    let set_meta = Callback::new(move |name: String| {
        change(&|settings: &mut TimeSeries| settings.meta_field = Some(name.clone()).filter(|name| !name.is_empty()));
    });
    let set_granularity = Callback::new(move |name: String| {
        let of = GRANULARITIES.iter().find(|(_, own)| *own == name).map(|(own, _)| *own);
        change(&|settings: &mut TimeSeries| settings.granularity = of);
    });
    let wrong = RwSignal::new(None::<String>);
    let set_expire = Callback::new(move |text: String| {
        let number = text.trim().parse::<u64>().ok().filter(|n| *n > 0);
        let is_wrong = number.is_none() && !text.trim().is_empty();
        wrong.set(is_wrong.then(|| "Enter a whole number of seconds, or nothing.".to_owned()));
        if !is_wrong {
            change(&|settings: &mut TimeSeries| settings.expire_after_seconds = number);
        }
    });
    view! {
        <div class="gw-form__row">
            <Choice label="Time field" value=time options=time_options on_choose=set_time error=error testid="time-field"/>
            <Choice label="Meta field" value=meta options=meta_options on_choose=set_meta testid="meta-field"/>
        </div>
        <div class="gw-form__row">
            <Choice label="Granularity" value=granularity options=granularities on_choose=set_granularity testid="granularity"/>
            <TextInput
                label="Expire after seconds"
                value=expire
                on_commit=set_expire
                error=wrong
                placeholder="never"
                testid="expire-after"
            />
        </div>
        <p class="gw-muted">
            "A job collects the documents beside it and makes the time series at its end: MongoDB replaces no single \
             document in one. A row without a time becomes no document, and is reported. A collection of this name that is \
             there already has to be dropped by the job."
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::apply;
    use godwit_shared::ids::MappingId;

    fn with_date(kind: &str, name: &str) -> Draft {
        let mut draft = samples::draft();
        let public = draft.model.databases["library"]
            .schemas
            .get_mut("public")
            .expect("a schema");
        let column = &mut public.tables.get_mut("borrowers").expect("a table").columns["name"];
        column.kind.database_specific_type = kind.into();
        let edit = Edit::RenameField {
            rule: MappingId::new("m1"),
            column: "name".into(),
            name: name.into(),
        };
        let kind = Edit::SetFieldType {
            rule: MappingId::new("m1"),
            column: "name".into(),
            kind: FieldType::Default,
        };
        for edit in [edit, kind] {
            apply(&mut draft, &edit).expect("an edit");
        }
        draft
    }

    #[test]
    fn only_dates_of_the_first_level_are_offered() {
        let collection = CollectionId::new("c1");
        let times = |kind: &str, name: &str| time_fields(&with_date(kind, name), &collection);
        assert_eq!(times("timestamp with time zone", "since"), ["since"]);
        assert_eq!(times("date", "person.since"), [] as [&str; 0]);
        assert_eq!(times("text", "since"), [] as [&str; 0]);
        assert_eq!(
            time_fields(&with_date("date", "since"), &CollectionId::new("c2")),
            [] as [&str; 0]
        );
    }

    #[test]
    fn any_other_field_can_tell_series_apart() {
        let draft = with_date("date", "since");
        assert_eq!(
            meta_fields(&draft, &CollectionId::new("c1"), "since"),
            ["initial", "loans"]
        );
    }
}
