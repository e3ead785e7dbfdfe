//! Settings of the project after it was made: its name, how names are cased, keys, nulls. Each that changes is a step of
//! its own in the history.

use super::forms::inputs::{Choice, Toggle};
use super::forms::words::{key_choices, key_of_value, key_value};
use super::workbench::use_workbench;
use crate::components::dialog::{Dialog, DialogFoot};
use crate::format::number;
use crate::projects::{name_error, taken_error, use_projects};
use godwit_shared::casing::Casing;
use godwit_shared::edit::{Draft, Edit};
use godwit_shared::mapping::KeyHandling;
use leptos::prelude::*;

/// What the dialog shows.
#[derive(Debug, Clone, PartialEq)]
struct Settings {
    name: String,
    casing: Casing,
    /// Names that nobody has changed follow the casing.
    renames: bool,
    key: KeyHandling,
    omits_nulls: bool,
    /// The fields that there are follow, too.
    changes_fields: bool,
}

impl Settings {
    fn of(draft: &Draft) -> Self {
        let settings = &draft.content.settings;
        Self {
            name: draft.name.clone(),
            casing: settings.casing,
            renames: true,
            key: settings.key_handling,
            omits_nulls: settings.omit_nulls,
            changes_fields: false,
        }
    }

    /// What changes of the draft, one edit for each setting.
    fn edits(&self, draft: &Draft) -> Vec<Edit> {
        let before = Self::of(draft);
        let mut edits = Vec::new();
        if self.name.trim() != before.name {
            edits.push(Edit::SetProjectName {
                name: self.name.trim().to_owned(),
            });
        }
        if self.casing != before.casing {
            edits.push(Edit::SetCasing {
                casing: self.casing,
                rename: self.renames,
            });
        }
        if self.key != before.key {
            edits.push(Edit::SetKeyHandling {
                rule: None,
                handling: Some(self.key),
            });
        }
        let nulls = self.null_edits(draft, &before);
        if !nulls.is_empty() {
            let word = if self.omits_nulls { "left out" } else { "stored" };
            let words = match self.changes_fields {
                true => format!("nulls of all fields are {word}"),
                false => format!("nulls of new fields are {word}"),
            };
            edits.push(Edit::All { words, edits: nulls });
        }
        edits
    }

    fn null_edits(&self, draft: &Draft, before: &Self) -> Vec<Edit> {
        let omit = self.omits_nulls;
        let default = (omit != before.omits_nulls).then_some(Edit::SetNullDefault { omit });
        let of_rule = |(rule, mapping): (&godwit_shared::ids::MappingId, &godwit_shared::mapping::Mapping)| {
            let other = mapping.fields.iter().filter(|(column, field)| {
                field.target.is_null_excluded != omit && !super::rules::is_key_field(column, field)
            });
            let columns: Vec<String> = other.map(|(column, _)| column.clone()).collect();
            (!columns.is_empty()).then(|| Edit::SetFieldNulls {
                rule: rule.clone(),
                columns,
                omit,
            })
        };
        let fields = draft.content.mappings.iter().filter_map(of_rule);
        let fields: Vec<Edit> = if self.changes_fields {
            fields.collect()
        } else {
            Vec::new()
        };
        default.into_iter().chain(fields).collect()
    }
}

/// The rules whose documents get another key with the project's.
fn rules_of_project_key(draft: &Draft) -> usize {
    let rules = draft.content.mappings.iter();
    rules
        .filter(|(id, rule)| draft.is_root(id) && rule.settings.key_handling.is_none())
        .count()
}

#[component]
pub fn SettingsDialog(is_open: RwSignal<bool>) -> impl IntoView {
    let close = Callback::new(move |()| is_open.set(false));
    move || is_open.get().then(|| view! { <SettingsForm on_close=close/> })
}

fn casing_label(casing: Casing) -> &'static str {
    match casing {
        Casing::Original => "Keep Original",
        Casing::CamelCase => "camelCase",
        Casing::TitleCase => "TitleCase",
        Casing::KebabCase => "kebab-case",
        Casing::SnakeCase => "snake_case",
        Casing::UpperSnakeCase => "UPPER_SNAKE_CASE",
    }
}

#[component]
fn SettingsForm(on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let projects = use_projects();
    let now = bench.draft.with_untracked(Settings::of);
    let (own_name, first_key) = (now.name.clone(), now.key);
    let wanted = RwSignal::new(now);
    let error = Memo::new(move |_| {
        let name = wanted.with(|wanted| wanted.name.clone());
        let others = projects.state().get().ready().unwrap_or_default();
        let taken = taken_error(&name, &others).filter(|_| name.trim() != own_name);
        name_error(&name).or(taken)
    });
    let concerned = bench.draft.with_untracked(rules_of_project_key) as u64;
    let casing = Signal::derive(move || casing_label(wanted.with(|wanted| wanted.casing)).to_owned());
    let casings: Vec<_> = Casing::ALL
        .map(casing_label)
        .map(|label| (label.to_owned(), label.to_owned()))
        .into();
    let set_casing = Callback::new(move |label: String| {
        let casing = Casing::ALL.into_iter().find(|casing| casing_label(*casing) == label);
        wanted.update(|wanted| wanted.casing = casing.unwrap_or(wanted.casing));
    });
    let key = Signal::derive(move || wanted.with(|wanted| key_value(Some(wanted.key)).to_owned()));
    // Without the first one, which speaks of the project.
    let keys: Vec<_> = key_choices(first_key).into_iter().skip(1).collect();
    let set_key = Callback::new(move |value: String| {
        wanted.update(|wanted| wanted.key = key_of_value(&value).unwrap_or(wanted.key));
    });
    let is_new_casing = Memo::new(move |_| {
        let before = bench.draft.with(|draft| draft.content.settings.casing);
        wanted.with(|wanted| wanted.casing != before)
    });
    let is_new_key = Memo::new(move |_| wanted.with(|wanted| wanted.key != first_key));
    let edits = Memo::new(move |_| bench.with(|draft| wanted.with(|wanted| wanted.edits(draft))));
    let save = Callback::new(move |()| {
        let edits = edits.get_untracked();
        let count = edits.len();
        if edits.into_iter().filter_map(|edit| bench.apply(edit)).count() == count {
            on_close.run(());
        }
    });
    let on_name = move |event| wanted.update(|wanted| wanted.name = event_target_value(&event));
    view! {
        <Dialog title="Project settings" on_close=on_close>
            <div class="gw-dialog__body gw-form" data-testid="project-settings">
                <label class="gw-field">
                    <span class="gw-field__label">"Name"</span>
                    <input
                        class="gw-input"
                        autocomplete="off"
                        data-testid="settings-name"
                        aria-invalid=move || error.with(Option::is_some).then_some("true")
                        prop:value=move || wanted.with(|wanted| wanted.name.clone())
                        on:input=on_name
                    />
                    <span class="gw-field__note gw-field__note--error" role="status">{error}</span>
                </label>
                <Choice label="Global casing of new names" value=casing options=casings on_choose=set_casing testid="settings-casing"/>
                <Show when=move || is_new_casing.get()>
                    <Toggle
                        label="Names that nobody has changed follow"
                        is_on=Signal::derive(move || wanted.with(|wanted| wanted.renames))
                        on_change=Callback::new(move |is_on| wanted.update(|wanted| wanted.renames = is_on))
                        testid="settings-rename"
                    />
                </Show>
                <Choice label="Key handling (_id)" value=key options=keys on_choose=set_key testid="settings-key"/>
                <Show when=move || is_new_key.get()>
                    <p class="gw-forms__warning" role="status" data-testid="settings-key-note">
                        {number::counted(concerned, "rule follows", "rules follow")}
                        " the project: their documents get other keys, and a job has to write them anew."
                    </p>
                </Show>
                <Toggle
                    label="Fields of new rules are left out where they are null"
                    is_on=Signal::derive(move || wanted.with(|wanted| wanted.omits_nulls))
                    on_change=Callback::new(move |is_on| wanted.update(|wanted| wanted.omits_nulls = is_on))
                    testid="settings-nulls"
                />
                <Toggle
                    label="The fields that there are do likewise"
                    is_on=Signal::derive(move || wanted.with(|wanted| wanted.changes_fields))
                    on_change=Callback::new(move |is_on| wanted.update(|wanted| wanted.changes_fields = is_on))
                    testid="settings-all-nulls"
                />
                <p class="gw-muted">"Each setting that changes is a step of the history, and can be undone."</p>
            </div>
            <DialogFoot
                label="Save"
                is_disabled=Signal::derive(move || error.with(Option::is_some) || edits.with(Vec::is_empty))
                on_press=save
                on_close=on_close
                testid="settings-save"
            />
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::apply;

    #[test]
    fn each_setting_is_a_step_of_its_own() {
        let mut draft = samples::draft();
        let before = Settings::of(&draft);
        assert_eq!(before.edits(&draft), []);
        let wanted = Settings {
            name: " City library ".into(),
            casing: Casing::SnakeCase,
            key: KeyHandling::Wrapped,
            omits_nulls: true,
            changes_fields: true,
            ..before
        };
        let words: Vec<String> = wanted
            .edits(&draft)
            .iter()
            .map(|edit| apply(&mut draft, edit).expect("an edit").words)
            .collect();
        assert_eq!(words.len(), 4, "{words:?}");
        assert_eq!(words[0], "renamed the project `Library` to `City library`");
        assert_eq!(words[3], "nulls of all fields are left out");
        let settings = &draft.content.settings;
        assert_eq!(
            (settings.casing, settings.key_handling, settings.omit_nulls),
            (Casing::SnakeCase, KeyHandling::Wrapped, true)
        );
        let mut fields = draft.content.mappings.values().flat_map(|rule| rule.fields.values());
        assert!(fields.all(|field| field.target.is_null_excluded));
        assert_eq!(rules_of_project_key(&draft), 1);
    }
}
