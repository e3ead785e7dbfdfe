//! Every check with its tables and statements.

use super::ScriptButton;
use super::report::{in_order, status_of};
use crate::components::button::Button;
use crate::components::code::CodeView;
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::status::StatusText;
use crate::format::number;
use godwit_shared::preflight::{PreflightCheck, PreflightReport};
use leptos::prelude::*;

#[component]
pub fn DetailsDialog(report: PreflightReport, on_close: Callback<()>) -> impl IntoView {
    let title = match report.passed {
        true => "Preflight checks",
        false => "Preflight checks failed",
    };
    let has_script = report.checks.iter().any(|check| check.script.is_some());
    let item = |check| view! { <CheckItem check=check/> };
    view! {
        <Dialog title=title size=DialogSize::Wide on_close=on_close>
            <ul class="gw-dialog__body gw-checks" tabindex="0" aria-label="Checks">
                {in_order(&report).into_iter().map(item).collect_view()}
            </ul>
            <footer class="gw-dialog__foot">
                {has_script.then(|| view! { <ScriptButton/> })}
                <Button label="Close" on_press=on_close attr:data-testid="preflight-close"/>
            </footer>
        </Dialog>
    }
}

#[component]
fn CheckItem(check: PreflightCheck) -> impl IntoView {
    let tables = (!check.tables.is_empty()).then(|| view! { <TableNames tables=check.tables/> });
    let script = check
        .script
        .map(|script| view! { <CodeView label="Statements" text=script/> });
    view! {
        <li class="gw-checks__item" data-testid="preflight-check">
            <div class="gw-checks__head">
                <h3 class="gw-checks__title">{check.title}</h3>
                <StatusText status=status_of(check.status)/>
            </div>
            <p>{check.message}</p>
            {tables}
            {script}
        </li>
    }
}

#[component]
fn TableNames(tables: Vec<String>) -> impl IntoView {
    let count = number::counted(tables.len() as u64, "table", "tables");
    let names = tables.join(", ");
    view! {
        <p class="gw-checks__tables"><span class="gw-muted">{count}": "</span><span class="gw-code">{names}</span></p>
    }
}
