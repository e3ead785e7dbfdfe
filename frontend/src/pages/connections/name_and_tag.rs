//! What every saved connection has.

use super::draft::name_problem;
use crate::components::field::TextField;
use crate::components::select::SelectField;
use crate::connections::environment;
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn NameAndTag(
    #[prop(into)] name: Field<String>,
    #[prop(into)] tag: Field<String>,
    /// Whether the user has tried to save: before that gaps are no errors.
    was_tried: RwSignal<bool>,
) -> impl IntoView {
    let error = Signal::derive(move || name.with(|name| name_problem(name)).filter(|_| was_tried.get()));
    view! {
        <div class="gw-form__row">
            <TextField label="Connection name" value=name error=error testid="connection-name"/>
            <SelectField label="Environment tag" value=tag options=environment::options() testid="connection-tag"/>
        </div>
    }
}
