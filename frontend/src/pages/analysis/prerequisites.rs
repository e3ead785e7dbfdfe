//! *Prerequisites*: what the source lacks for each mode of migration, and the SQL that gives it.

use super::ReportSignal;
use crate::components::badge::{Badge, Tone};
use crate::components::code::CodeView;
use godwit_shared::analysis::AnalysisCheck;
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::CheckStatus;
use leptos::prelude::*;

const MODES: [(MigrationMode, &str); 3] = [
    (MigrationMode::Snapshot, "Snapshot"),
    (MigrationMode::Cdc, "Continuous: snapshot, then changes"),
    (MigrationMode::CdcOnly, "Changes alone"),
];

#[component]
pub fn Prerequisites(report: ReportSignal) -> impl IntoView {
    let checks = Memo::new(move |_| report.get().preflight_checks.clone());
    let of_mode = move |(mode, label): (MigrationMode, &'static str)| {
        let of: Vec<AnalysisCheck> =
            checks.with(|all| all.iter().filter(|c| c.migration_mode == mode).cloned().collect());
        (!of.is_empty()).then(|| view! { <Mode label=label checks=of/> })
    };
    let body = move || match checks.with(Vec::is_empty) {
        true => view! { <p class="gw-muted">"The prerequisites were not checked."</p> }.into_any(),
        false => MODES.map(of_mode).collect_view().into_any(),
    };
    view! { <section class="gw-stack" aria-label="Prerequisites" data-testid="analysis-prerequisites">{body}</section> }
}

#[component]
fn Mode(label: &'static str, checks: Vec<AnalysisCheck>) -> impl IntoView {
    let failed = checks.iter().filter(|c| !c.passed).count();
    let (text, tone) = match failed {
        0 => ("Ready".to_owned(), Tone::Success),
        1 => ("1 check failed".to_owned(), Tone::Danger),
        n => (format!("{n} checks failed"), Tone::Danger),
    };
    view! {
        <section class="gw-panel" aria-label=label>
            <header class="gw-panel__head">
                <h3>{label}</h3>
                <Badge text=text tone=tone/>
            </header>
            <ul class="gw-detections__list">
                {checks.into_iter().map(|check| view! { <Line check=check/> }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn Line(check: AnalysisCheck) -> impl IntoView {
    let (word, tone) = match check.check.status {
        CheckStatus::Passed => ("Passed", Tone::Success),
        CheckStatus::Warning => ("Warning", Tone::Warning),
        CheckStatus::Failed => ("Failed", Tone::Danger),
    };
    let label = format!("SQL for {}", check.name);
    let script = check.check.script.map(|script| {
        view! {
            <details class="gw-more">
                <summary>"SQL"</summary>
                <CodeView label=label text=script/>
            </details>
        }
    });
    view! {
        <li class="gw-detections__row">
            <div class="gw-stack">
                <p><strong>{check.name}</strong></p>
                <p>{check.check.message}</p>
                {script}
            </div>
            <Badge text=word.to_owned() tone=tone/>
        </li>
    }
}
