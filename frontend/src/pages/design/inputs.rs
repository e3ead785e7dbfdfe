//! Buttons, fields, choices and dialogs.

use super::Sample;
use crate::components::button::{Button, ButtonTone, DownloadLink, IconButton};
use crate::components::choice::{Checkbox, Radio, Share, TriCheckbox};
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::field::{FieldKind, TextField};
use crate::components::icon::Icon;
use crate::components::select::{SelectField, SelectOption};
use leptos::prelude::*;
use reactive_stores::Store;

const TONES: [(&str, ButtonTone); 5] = [
    ("Primary", ButtonTone::Primary),
    ("Secondary", ButtonTone::Secondary),
    ("Danger", ButtonTone::Danger),
    ("Success", ButtonTone::Success),
    ("Quiet", ButtonTone::Quiet),
];

const SHARES: [(&str, Share); 3] = [("None", Share::None), ("Some", Share::Some), ("All", Share::All)];

#[component]
pub fn Buttons() -> impl IntoView {
    let asked = RwSignal::new(None::<(&'static str, ButtonTone)>);
    let close = Callback::new(move |()| asked.set(None));
    let button = move |(label, tone)| {
        let ask = Callback::new(move |()| asked.set(Some((label, tone))));
        view! {
            <div class="gw-row">
                <Button label=label tone=tone on_press=ask/>
                <Button label=label tone=tone icon=Icon::Play on_press=ask/>
                <Button label=label tone=tone is_busy=true on_press=ask/>
                <Button label=label tone=tone is_disabled=true on_press=ask/>
            </div>
        }
    };
    let dialog = move || {
        asked.get().map(|(title, tone)| {
            let action = ConfirmAction {
                label: "Confirm",
                tone,
                testid: "design-confirm",
            };
            view! {
                <ConfirmDialog title=title action=action on_confirm=close on_close=close>
                    <p>"What it leads to, and what cannot be undone."</p>
                </ConfirmDialog>
            }
        })
    };
    view! {
        <Sample title="Buttons and dialogs">
            {TONES.map(button)}
            <div class="gw-row">
                <IconButton label="Copy" icon=Icon::Copy on_press=close/>
                <IconButton label="Copy, busy" icon=Icon::Copy is_busy=true on_press=close/>
                <IconButton label="Copy, disabled" icon=Icon::Copy is_disabled=true on_press=close/>
                <DownloadLink label="Download" href="/favicon.svg" file_name="godwit.svg".to_owned()/>
                <DownloadLink label="Download the picture" href="/favicon.svg" file_name="godwit.svg".to_owned() is_wide=true/>
            </div>
        </Sample>
        {dialog}
    }
}

#[derive(Clone, Default, Store)]
struct Entered {
    text: String,
    code: String,
    number: String,
    password: String,
    choice: String,
    is_checked: bool,
}

#[component]
pub fn Fields() -> impl IntoView {
    let entered = Store::new(Entered {
        text: "Shop".into(),
        code: "postgres://h/shop".into(),
        number: "-1".into(),
        choice: "Prefer".into(),
        ..Entered::default()
    });
    let options = ["Prefer", "Require", "Verify full"].map(|name| SelectOption::new(name, name));
    let is_checked = entered.is_checked();
    let tri = |(label, share): (&'static str, Share)| {
        view! { <TriCheckbox label=label share=Signal::stored(share) on_change=Callback::new(|_| ())/> }
    };
    view! {
        <Sample title="Fields and choices">
            <div class="gw-form__row">
                <TextField label="Text" value=entered.text() hint=Some("A hint stands below.".to_owned())/>
                <TextField label="Code" kind=FieldKind::Code value=entered.code()/>
            </div>
            <div class="gw-form__row">
                <TextField
                    label="With an error"
                    kind=FieldKind::Number
                    value=entered.number()
                    error=Some("Enter a whole number, 0 or more.".to_owned())
                />
                <TextField label="Password" kind=FieldKind::Password value=entered.password() placeholder="Stored"/>
            </div>
            <SelectField label="Select" value=entered.choice() options=options.to_vec()/>
            <Checkbox label="Check box" note="What it does." checked=is_checked/>
            <Radio
                label="Radio button"
                name="design"
                note="What it means."
                checked=Signal::derive(move || !is_checked.get())
                on_choose=Callback::new(move |()| is_checked.set(false))
            />
            <div class="gw-row">{SHARES.map(tri)}</div>
            <fieldset class="gw-form" disabled>
                <TextField label="Disabled text" value=entered.text()/>
                <SelectField label="Disabled select" value=entered.choice() options=options.to_vec()/>
                <Checkbox label="Disabled check box" checked=is_checked/>
            </fieldset>
        </Sample>
    }
}
