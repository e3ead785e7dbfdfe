//! DDL files of the user: read as soon as they are chosen, so that what is wrong with them stands beside them.

use crate::api::{self, ApiError};
use crate::components::button::IconButton;
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::{Glyph, Icon};
use crate::components::skeleton::Skeleton;
use crate::format::number;
use godwit_shared::ddl::{DDL_BYTES_MAX, DdlDatabase, DdlFile, DdlSchema, NamedDdl, SkippedStatement};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsValue;
use std::sync::Arc;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList};

/// What the files came to.
#[derive(Debug, Clone, PartialEq)]
pub enum DdlState {
    /// No file has been chosen.
    Nothing,
    Running,
    Read(Arc<DdlSchema>),
    /// More than the server takes.
    TooLarge,
    Failed(ApiError),
}

/// The files that were chosen, and whose DDL it is.
#[derive(Clone, Copy)]
pub struct DdlInput {
    pub database: RwSignal<DdlDatabase>,
    files: RwSignal<Vec<NamedDdl>>,
    pub state: RwSignal<DdlState>,
    /// Counts what was asked for: only the newest answer counts.
    asked: StoredValue<u32>,
}

impl DdlInput {
    pub fn new(database: DdlDatabase) -> Self {
        Self {
            database: RwSignal::new(database),
            files: RwSignal::new(Vec::new()),
            state: RwSignal::new(DdlState::Nothing),
            asked: StoredValue::new(0),
        }
    }

    /// What was read, where it can be used.
    pub fn schema(self) -> Option<Arc<DdlSchema>> {
        self.state.with(|state| match state {
            DdlState::Read(schema) => Some(schema.clone()),
            DdlState::Nothing | DdlState::Running | DdlState::TooLarge | DdlState::Failed(_) => None,
        })
    }

    /// What was read before the page was loaded again.
    pub fn restore(self, schema: DdlSchema) {
        self.state.set(DdlState::Read(Arc::new(schema)));
    }

    fn add(self, chosen: Option<FileList>) {
        let files: Vec<File> = chosen
            .iter()
            .flat_map(|list| (0..list.length()).filter_map(|n| list.get(n)))
            .collect();
        if files.is_empty() {
            return;
        }
        self.state.set(DdlState::Running);
        spawn_local(async move {
            for file in files {
                let text = JsFuture::from(file.text()).await.ok();
                let Some(text) = text.as_ref().and_then(JsValue::as_string) else {
                    let _ = self.state.try_set(DdlState::Failed(ApiError::FileUnreadable));
                    return;
                };
                let name = file.name();
                let _ = self.files.try_update(|files| {
                    files.retain(|own| own.name != name);
                    files.push(NamedDdl { name, text });
                });
            }
            self.read();
        });
    }

    fn remove(self, name: &str) {
        self.files.update(|files| files.retain(|own| own.name != name));
        self.read();
    }

    /// Asks the server; what it says of older files is not looked at.
    pub fn read(self) {
        let Some(files) = self.files.try_get_untracked() else {
            return;
        };
        let number = self.asked.get_value() + 1;
        self.asked.set_value(number);
        if files.is_empty() {
            self.state.set(DdlState::Nothing);
            return;
        }
        let request = DdlFile {
            database: self.database.get_untracked(),
            text: String::new(),
            files,
        };
        if request.bytes() > DDL_BYTES_MAX {
            self.state.set(DdlState::TooLarge);
            return;
        }
        self.state.set(DdlState::Running);
        spawn_local(async move {
            let answer = api::schema::read_ddl(&request).await;
            if self.asked.try_get_value() == Some(number) {
                self.state.set(match answer {
                    Ok(schema) => DdlState::Read(Arc::new(schema)),
                    Err(error) => DdlState::Failed(error),
                });
            }
        });
    }
}

fn limit() -> String {
    format!("At most {} MiB altogether", DDL_BYTES_MAX >> 20)
}

/// `16 tables, 2 keys`
fn summary(schema: &DdlSchema) -> String {
    let tables = schema.full.tables().count() as u64;
    let keys: usize = schema.full.tables().map(|(_, table)| table.foreign_keys.len()).sum();
    format!(
        "{}, {}",
        number::counted(tables, "table", "tables"),
        number::counted(keys as u64, "foreign key", "foreign keys")
    )
}

#[component]
pub fn DdlFiles(
    input: DdlInput,
    /// The database cannot be chosen.
    #[prop(optional)]
    is_fixed: bool,
) -> impl IntoView {
    let is_over = RwSignal::new(false);
    let choose = NodeRef::<html::Input>::new();
    let on_change = move |_| {
        if let Some(element) = choose.get_untracked() {
            input.add(element.files());
            // The same file may be chosen again.
            element.set_value("");
        }
    };
    let on_over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    let on_drop = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        input.add(event.data_transfer().and_then(|data| data.files()));
    };
    let class = move || match is_over.get() {
        true => "gw-drop gw-drop--over gw-ddl__drop",
        false => "gw-drop gw-ddl__drop",
    };
    let file = move |file: NamedDdl| {
        let name = StoredValue::new(file.name.clone());
        let remove = Callback::new(move |()| name.with_value(|name| input.remove(name)));
        view! {
            <li class="gw-ddl__file" data-testid="ddl-file">
                <span class="gw-code">{file.name.clone()}</span>
                <span class="gw-muted">{number::bytes(file.text.len() as f64)}</span>
                <IconButton label=format!("Take {} out", file.name) icon=Icon::Close on_press=remove/>
            </li>
        }
    };
    view! {
        {(!is_fixed).then(|| view! { <Database input=input/> })}
        <div class=class on:dragover=on_over on:dragleave=move |_| is_over.set(false) on:drop=on_drop>
            <p>"Drop .sql files here, or choose them."</p>
            <label class="gw-button gw-button--secondary gw-import">
                <Glyph icon=Icon::Upload/>
                "Choose files"
                <input
                    node_ref=choose
                    class="gw-visually-hidden"
                    type="file"
                    multiple=true
                    accept=".sql,.ddl,.txt"
                    data-testid="ddl-files"
                    on:change=on_change
                />
            </label>
            <p class="gw-muted">
                {limit()} ". Tables, keys and indexes are read; data, functions and grants are passed over."
            </p>
        </div>
        <ul class="gw-ddl__files">{move || input.files.get().into_iter().map(file).collect_view()}</ul>
        <Outcome input=input/>
    }
}

#[component]
fn Database(input: DdlInput) -> impl IntoView {
    let option = move |database: DdlDatabase| {
        let is_selected = move || input.database.get() == database;
        view! { <option value=database.project_kind() selected=is_selected>{database.label()}</option> }
    };
    let on_change = move |event| {
        let value = event_target_value(&event);
        if let Some(database) = DdlDatabase::ALL.into_iter().find(|own| own.project_kind() == value) {
            input.database.set(database);
            input.read();
        }
    };
    view! {
        <label class="gw-field">
            <span class="gw-field__label">"Database that the files are of"</span>
            <select class="gw-input" data-testid="ddl-database" on:change=on_change>
                {DdlDatabase::ALL.map(option).collect_view()}
            </select>
        </label>
    }
}

#[component]
fn Outcome(input: DdlInput) -> impl IntoView {
    move || match input.state.get() {
        DdlState::Nothing => ().into_any(),
        DdlState::Running => view! { <Skeleton lines=3/> }.into_any(),
        DdlState::TooLarge => view! {
            <p class="gw-field__note gw-field__note--error" role="alert" data-testid="ddl-too-large">
                {limit()} ": take the data out of the files, or choose fewer."
            </p>
        }
        .into_any(),
        DdlState::Failed(error) => view! { <ErrorPanel error=error/> }.into_any(),
        DdlState::Read(schema) => view! { <ReadFiles schema=schema/> }.into_any(),
    }
}

/// `orders.sql, line 4`
fn place(skipped: &SkippedStatement) -> String {
    match &skipped.file {
        Some(file) => format!("{file}, line {}", skipped.line),
        None => format!("Line {}", skipped.line),
    }
}

#[component]
fn ReadFiles(schema: Arc<DdlSchema>) -> impl IntoView {
    let line = |skipped: &SkippedStatement| {
        view! {
            <li data-testid="ddl-skipped">
                <p><strong>{place(skipped)}</strong> ": " {skipped.reason.clone()}</p>
                <p class="gw-code gw-muted">{skipped.statement.clone()}</p>
            </li>
        }
    };
    let skipped = (!schema.skipped.is_empty()).then(|| {
        let count = number::counted(
            schema.skipped.len() as u64,
            "statement cannot be read, and is left out:",
            "statements cannot be read, and are left out:",
        );
        view! {
            <div class="gw-ddl__skipped" role="status">
                <p>{count}</p>
                <ul>{schema.skipped.iter().map(line).collect_view()}</ul>
            </div>
        }
    });
    view! {
        <p role="status" data-testid="ddl-read">{summary(&schema)}</p>
        {skipped}
    }
}
