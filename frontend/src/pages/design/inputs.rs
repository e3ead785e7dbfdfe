//! Buttons, fields, choices and dialogs.

use super::Sample;
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::choice::{Checkbox, Radio};
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
            <div class="gw-row"><IconButton label="Copy" icon=Icon::Copy on_press=close/></div>
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
        </Sample>
    }
}
