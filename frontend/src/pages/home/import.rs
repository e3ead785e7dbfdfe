//! Project files come in by button or by dropping them on the page.

use crate::api::{self, ApiError};
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::{Glyph, Icon};
use crate::components::toast::use_toasts;
use crate::projects::use_projects;
use godwit_shared::project::ProjectSummary;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList};

/// What the import is doing.
#[derive(Debug, Clone, PartialEq)]
enum ImportState {
    Idle,
    Running,
    Failed { file: String, error: ApiError },
}

/// Imports files one after the other; shared by button and drop zone.
#[derive(Clone, Copy)]
pub struct Importer {
    state: RwSignal<ImportState>,
    input: NodeRef<html::Input>,
    /// Opens what an imported project carries, to be read.
    asks: Callback<ProjectSummary>,
}

impl Importer {
    pub fn new(asks: Callback<ProjectSummary>) -> Self {
        Self {
            asks,
            state: RwSignal::new(ImportState::Idle),
            input: NodeRef::new(),
        }
    }

    fn is_running(self) -> bool {
        self.state.with(|s| *s == ImportState::Running)
    }

    /// Opens the browser's choice of files.
    pub fn choose_file(self) {
        if let Some(input) = self.input.get_untracked() {
            input.click();
        }
    }

    /// The first failure ends the import: its message has to be read.
    fn start(self, files: Option<FileList>) {
        let files: Vec<File> = files
            .iter()
            .flat_map(|list| (0..list.length()).filter_map(|i| list.get(i)))
            .collect();
        if files.is_empty() || untrack(|| self.is_running()) {
            return;
        }
        let (toasts, projects) = (use_toasts(), use_projects());
        self.state.set(ImportState::Running);
        spawn_local(async move {
            let mut end = ImportState::Idle;
            for file in files {
                match import(&file).await {
                    Ok(project) => {
                        toasts.say(format!("Imported “{}”.", project.name));
                        if project.needs_consent {
                            self.asks.run(project);
                        }
                    }
                    Err(error) => {
                        end = ImportState::Failed {
                            file: file.name(),
                            error,
                        };
                        break;
                    }
                }
            }
            projects.reload();
            self.state.set(end);
        });
    }

    /// The failure, with the name of the file.
    pub fn failure_view(self) -> impl IntoView {
        move || match self.state.get() {
            ImportState::Failed { file, error } => Some(view! {
                <div class="gw-stack">
                    <p>"“" {file} "” was not imported."</p>
                    <ErrorPanel error=error/>
                </div>
            }),
            ImportState::Idle | ImportState::Running => None,
        }
    }
}

async fn import(file: &File) -> Result<ProjectSummary, ApiError> {
    let text = JsFuture::from(file.text())
        .await
        .ok()
        .as_ref()
        .and_then(JsValue::as_string);
    api::projects::import(text.ok_or(ApiError::FileUnreadable)?).await
}

/// A file input that looks like a button: its label is the button.
#[component]
pub fn ImportButton(importer: Importer) -> impl IntoView {
    let input = importer.input;
    let on_change = Callback::new(move |()| {
        if let Some(input) = input.get_untracked() {
            importer.start(input.files());
            // The same file may be chosen again.
            input.set_value("");
        }
    });
    let icon = Signal::derive(move || {
        if importer.is_running() {
            Icon::Spinner
        } else {
            Icon::Upload
        }
    });
    view! {
        <label class="gw-button gw-button--secondary gw-import">
            <Glyph icon=icon/>
            "Import project"
            <input
                node_ref=input
                class="gw-visually-hidden"
                type="file"
                accept=".relmig,.json,application/json"
                data-testid="import-file"
                disabled=move || importer.is_running()
                on:change=move |_| on_change.run(())
            />
        </label>
    }
}

/// Takes files that are dropped on what it holds.
#[component]
pub fn DropZone(importer: Importer, children: Children) -> impl IntoView {
    let is_over = RwSignal::new(false);
    let class = move || match is_over.get() {
        true => "gw-drop gw-drop--over",
        false => "gw-drop",
    };
    let on_over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    let on_drop = Callback::new(move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        importer.start(event.data_transfer().and_then(|data| data.files()));
    });
    view! {
        <div
            class=class
            on:dragover=on_over
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |event| on_drop.run(event)
        >
            {children()}
        </div>
    }
}
