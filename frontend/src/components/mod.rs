//! The small set of components that pages are made of. They know nothing of projects and jobs.
//!
//! Attributes that only tests or one place need (`data-testid`, `aria-label`) are given from outside with `attr:`.

pub mod badge;
pub mod banner;
pub mod button;
pub mod chart;
pub mod choice;
pub mod code;
pub mod dialog;
pub mod drawer;
pub mod empty_state;
pub mod error_panel;
pub mod field;
pub mod focus;
pub mod icon;
pub mod keys;
pub mod menu;
pub mod progress;
pub mod select;
pub mod skeleton;
pub mod status;
pub mod steps;
pub mod table;
pub mod tabs;
pub mod toast;
pub mod tree;

use std::sync::atomic::{AtomicU32, Ordering};

/// An id for `aria-describedby` and its kind, unlike every other one of this page.
pub(crate) fn unique_id(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
