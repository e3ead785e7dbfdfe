//! Calculated fields: a name and an expression over the columns of the row.

use super::code_area::{CodeArea, Language};
use super::faults::error_at;
use super::inputs::{TextInput, Toggle};
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::pages::mapping::outline::lines::calculated_of;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::{CalculatedEdit, Edit, Part, Place};
use godwit_shared::ids::MappingId;
use leptos::prelude::*;

#[component]
pub fn CalculatedForm(rule: MappingId, id: String) -> impl IntoView {
    let bench = use_workbench();
    let place = Place::of_rule(&rule, Part::Calculated { id: id.clone() });
    let at = StoredValue::new((rule, id));
    let field = move || {
        at.with_value(|(rule, id)| bench.with(|draft| calculated_of(draft, rule, id)))
            .unwrap_or_default()
    };
    let set = move |change: &dyn Fn(&mut CalculatedEdit)| {
        let mut field = untrack(field);
        change(&mut field);
        let (rule, id) = at.get_value();
        bench.apply(Edit::ChangeCalculated { rule, id, field });
    };
    let name = Signal::derive(move || field().name);
    let expression = Signal::derive(move || field().expression);
    let omit = Signal::derive(move || field().omit_null);
    let set_name = Callback::new(move |name: String| set(&|field: &mut CalculatedEdit| field.name.clone_from(&name)));
    let set_expression =
        Callback::new(move |text: String| set(&|field: &mut CalculatedEdit| field.expression.clone_from(&text)));
    let set_omit = Callback::new(move |omit: bool| set(&|field: &mut CalculatedEdit| field.omit_null = omit));
    let remove = Callback::new(move |()| {
        let (rule, id) = at.get_value();
        bench.apply(Edit::RemoveCalculated { rule, id });
    });
    view! {
        <section class="gw-forms__part" aria-label="Settings of the calculated field" data-testid="calculated-form">
            <header class="gw-forms__part-head">
                <h3>"Calculated field"</h3>
                <Button label="Delete" icon=Icon::Delete tone=ButtonTone::Quiet on_press=remove/>
            </header>
            <TextInput label="Field name" value=name on_commit=set_name is_code=true testid="calculated-name"/>
            <CodeArea
                label="Value (JavaScript)"
                value=expression
                on_commit=set_expression
                error=error_at(place)
                language=Language::Javascript
                testid="calculated-expression"
            />
            <Toggle label="Leave the field out where it is null" is_on=omit on_change=set_omit/>
        </section>
    }
}

/// The button that asks for a new one, and its form.
#[component]
pub fn NewCalculated(rule: StoredValue<MappingId>) -> impl IntoView {
    let bench = use_workbench();
    let is_open = RwSignal::new(false);
    let (name, expression) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let open = Callback::new(move |()| is_open.update(|is_open| *is_open = !*is_open));
    let add = Callback::new(move |()| {
        let field = CalculatedEdit {
            name: name.get_untracked(),
            expression: expression.get_untracked(),
            ..CalculatedEdit::default()
        };
        let edit = Edit::AddCalculated {
            rule: rule.get_value(),
            id: None,
            field,
        };
        if bench.apply(edit).is_some() {
            is_open.set(false);
            name.set(String::new());
            expression.set(String::new());
        }
    });
    view! {
        <div>
            <Button label="Add a calculated field" icon=Icon::Function tone=ButtonTone::Quiet on_press=open attr:data-testid="add-calculated"/>
        </div>
        <Show when=move || is_open.get()>
            <TextInput label="Field name" value=name on_commit=Callback::new(move |text| name.set(text)) is_code=true testid="new-calculated-name"/>
            <CodeArea
                label="Value (JavaScript over columns)"
                value=expression
                on_commit=Callback::new(move |text| expression.set(text))
                language=Language::Javascript
                placeholder="columns[\"first\"] + ' ' + columns[\"last\"]"
                testid="new-calculated-expression"
            />
            <div><Button label="Add" tone=ButtonTone::Primary on_press=add attr:data-testid="new-calculated-add"/></div>
        </Show>
    }
}
