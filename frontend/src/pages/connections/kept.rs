//! A connection that is being entered survives a reload of the page, without its passwords.

use super::OpenDialog;
use super::draft::Start;
use super::entry::Saved;
use crate::storage;
use godwit_shared::ids::ConnectionId;
use leptos::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

const KEY: &str = "godwit.connection-draft";

/// Which list it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Jdbc,
    Mongodb,
}

/// What the dialog had begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Begun {
    Add,
    Edit(ConnectionId),
    Copy(ConnectionId),
}

#[derive(Serialize, Deserialize)]
struct Kept<D> {
    kind: Kind,
    begun: Begun,
    draft: D,
}

/// A draft of the dialog that was kept for it, if it was this one.
pub fn draft<D: DeserializeOwned, T>(kind: Kind, start: &Start<T>, id: impl Fn(&T) -> ConnectionId) -> Option<D> {
    let kept: Kept<D> = storage::of_session(KEY)?;
    (kept.kind == kind && kept.begun == begun(start, id)).then_some(kept.draft)
}

/// Keeps the draft as long as its dialog is open.
pub fn keep<D, T>(kind: Kind, start: &Start<T>, id: impl Fn(&T) -> ConnectionId, draft: Signal<D>)
where
    D: Serialize + Clone + Send + Sync + 'static,
{
    let begun = begun(start, id);
    Effect::new(move |_| {
        let kept = Kept {
            kind,
            begun: begun.clone(),
            draft: draft.get(),
        };
        storage::keep_in_session(KEY, &kept);
    });
    on_cleanup(|| storage::forget_in_session(KEY));
}

/// The dialog that was open when the page was loaded again.
pub fn dialog(saved: &[Saved]) -> Option<OpenDialog> {
    let Kept { kind, begun, .. } = storage::of_session::<Kept<IgnoredAny>>(KEY)?;
    let find = |id: &ConnectionId| saved.iter().find(|saved| saved.id() == id).cloned();
    Some(match (kind, begun) {
        (Kind::Jdbc, Begun::Add) => OpenDialog::Jdbc(Start::Add),
        (Kind::Mongodb, Begun::Add) => OpenDialog::Mongodb(Start::Add),
        (_, Begun::Edit(id)) => match find(&id)? {
            Saved::Jdbc(own) => OpenDialog::Jdbc(Start::Edit(own)),
            Saved::Mongodb(own) => OpenDialog::Mongodb(Start::Edit(own)),
        },
        (_, Begun::Copy(id)) => match find(&id)? {
            Saved::Jdbc(own) => OpenDialog::Jdbc(Start::Copy(own)),
            Saved::Mongodb(own) => OpenDialog::Mongodb(Start::Copy(own)),
        },
    })
}

fn begun<T>(start: &Start<T>, id: impl Fn(&T) -> ConnectionId) -> Begun {
    match start {
        Start::Add => Begun::Add,
        Start::Edit(own) => Begun::Edit(id(own)),
        Start::Copy(own) => Begun::Copy(id(own)),
    }
}
