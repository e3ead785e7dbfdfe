//! A table with a caption for screen readers and a head that stays in sight.

use leptos::prelude::*;

/// A column: its head, and whether it holds numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumn {
    pub head: &'static str,
    pub is_number: bool,
}

impl TableColumn {
    pub const fn text(head: &'static str) -> Self {
        Self { head, is_number: false }
    }

    pub const fn number(head: &'static str) -> Self {
        Self { head, is_number: true }
    }
}

/// `children` are the bodies: `<tbody>` elements.
#[component]
pub fn Table(#[prop(into)] caption: String, columns: &'static [TableColumn], children: Children) -> impl IntoView {
    let head = |column: &TableColumn| {
        let class = if column.is_number { "gw-number" } else { "" };
        view! { <th scope="col" class=class>{column.head}</th> }
    };
    let label = caption.clone();
    view! {
        <div class="gw-table-frame" tabindex="0" role="region" aria-label=label>
            <table class="gw-table">
                <caption class="gw-visually-hidden">{caption}</caption>
                <thead><tr>{columns.iter().map(head).collect_view()}</tr></thead>
                {children()}
            </table>
        </div>
    }
}
