//! A table with a caption for screen readers and a head that stays in sight.

use leptos::prelude::*;

/// A column: its head, and whether it holds numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumn {
    pub head: &'static str,
    pub is_number: bool,
    /// The head is only read out: what stands below it speaks for itself.
    pub is_head_hidden: bool,
}

impl TableColumn {
    pub const fn text(head: &'static str) -> Self {
        Self {
            head,
            is_number: false,
            is_head_hidden: false,
        }
    }

    pub const fn unnamed(head: &'static str) -> Self {
        Self {
            head,
            is_number: false,
            is_head_hidden: true,
        }
    }

    pub const fn number(head: &'static str) -> Self {
        Self {
            head,
            is_number: true,
            is_head_hidden: false,
        }
    }
}

/// `children` are the bodies: `<tbody>` elements.
#[component]
pub fn Table(#[prop(into)] caption: String, columns: &'static [TableColumn], children: Children) -> impl IntoView {
    let head = |column: &TableColumn| {
        let class = if column.is_number { "gw-number" } else { "" };
        let text_class = column.is_head_hidden.then_some("gw-visually-hidden");
        view! { <th scope="col" class=class><span class=text_class>{column.head}</span></th> }
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
