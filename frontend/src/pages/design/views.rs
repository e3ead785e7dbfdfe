//! Tabs, steps, drawer, tree and code.

use super::Sample;
use crate::components::button::Button;
use crate::components::code::{CodeLanguage, CodeView};
use crate::components::drawer::Drawer;
use crate::components::icon::Icon;
use crate::components::steps::StepList;
use crate::components::tabs::{Tab, TabBar};
use crate::components::tree::{Tree, TreeNode};
use crate::routes;
use leptos::prelude::*;

const JSON: &str = r#"{
  "_id": 17,
  "title": "The long way \u2013 and back",
  "lent": true,
  "returned": null,
  "fee": { "$numberDecimal": "2.50" }
}"#;

const SQL: &str = "ALTER TABLE public.orders REPLICA IDENTITY FULL;";

fn node(id: &str, note: &str, icon: Icon, children: Vec<TreeNode>) -> TreeNode {
    TreeNode {
        id: id.into(),
        label: id.into(),
        note: note.into(),
        icon,
        children,
    }
}

#[component]
pub fn Trees() -> impl IntoView {
    let columns = vec![
        node("id", "integer", Icon::Key, vec![]),
        node("customer_id", "integer", Icon::Column, vec![]),
        node(
            "a_name_that_is_longer_than_its_place_allows",
            "timestamp with time zone",
            Icon::Column,
            vec![],
        ),
    ];
    let tables = vec![
        node("orders", "1 collection", Icon::Table, columns),
        node("order_lines", "not mapped", Icon::Table, vec![]),
    ];
    let nodes = vec![node("public", "2 tables", Icon::Schema, tables)];
    let search = RwSignal::new(String::new());
    let selected = RwSignal::new(Some("orders".to_owned()));
    let marked = Signal::stored(["order_lines".to_owned()].into());
    view! {
        <Sample title="Tree">
            <div class="gw-design__tree">
                <input
                    class="gw-input"
                    type="search"
                    placeholder="Search"
                    aria-label="Search in the tree"
                    on:input=move |event| search.set(event_target_value(&event))
                />
                <Tree
                    label="A tree"
                    nodes=nodes
                    search=search
                    selected=selected
                    marked=marked
                    open=vec!["public".into(), "orders".into()]
                    on_select=Callback::new(move |id| selected.set(Some(id)))
                />
            </div>
        </Sample>
    }
}

#[component]
pub fn Navigation() -> impl IntoView {
    view! {
        <Sample title="Tabs and steps">
            <TabBar label="Tabs">
                <Tab label="Open" href="/design".to_owned()/>
                <Tab label="Another" href=routes::HOME.to_owned()/>
            </TabBar>
            <StepList titles=vec!["Done", "Current", "To come"] current=1/>
        </Sample>
    }
}

#[component]
pub fn Code() -> impl IntoView {
    view! {
        <Sample title="Code and JSON">
            <CodeView label="A document" text=JSON language=CodeLanguage::Json/>
            <CodeView label="A statement" text=SQL/>
        </Sample>
    }
}

#[component]
pub fn Drawers() -> impl IntoView {
    let is_open = RwSignal::new(false);
    let close = Callback::new(move |()| is_open.set(false));
    let drawer = move || {
        is_open.get().then(|| {
            view! {
                <Drawer title="A drawer" on_close=close>
                    <div class="gw-dialog__body"><p>"What takes more than a question. The page stays in sight beside it."</p></div>
                    <footer class="gw-dialog__foot"><Button label="Close" on_press=close/></footer>
                </Drawer>
            }
        })
    };
    view! {
        <Sample title="Drawer">
            <div class="gw-row">
                <Button label="Open a drawer" on_press=Callback::new(move |()| is_open.set(true)) attr:data-testid="design-drawer"/>
            </div>
        </Sample>
        {drawer}
    }
}
