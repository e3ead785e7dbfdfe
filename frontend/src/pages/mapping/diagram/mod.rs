//! Diagrams: the tables of the source and the collections made of them, as cards with lines between them.
//!
//! What is drawn is worked out by plain functions: cards and lines ([`relational`], [`documents`]), their places
//! ([`layout`], [`saved`], [`build`]), what is in sight and what lies below the pointer ([`scene`], [`view`]), files
//! ([`export`]). The components draw it and hand on what the user does.

pub mod build;
pub mod canvas;
pub mod card;
mod cards_dialog;
pub mod coupling;
pub mod documents;
mod drawing;
pub mod edge;
pub mod export;
pub mod geometry;
pub mod gesture;
pub mod layout;
pub mod marks;
mod minimap;
pub mod pane;
pub mod relational;
pub mod saved;
pub mod scene;
pub mod state;
pub mod tabs;
pub mod view;
mod zoom_bar;
