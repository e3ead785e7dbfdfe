//! Documents that go with *Drop destination collections*: the user types what agrees to it.

use super::draft::{Draft, DraftStoreFields};
use super::use_wizard;
use crate::components::field::{FieldKind, TextField};
use crate::remote::Remote;
use godwit_shared::summary::JobSummary;
use leptos::prelude::*;

/// What is typed where documents of several collections go.
const DROP: &str = "drop";

/// What the user has to type before the job may start: the name of the only collection that has documents, else a word.
pub fn confirmation_word(summary: &JobSummary, drops: bool) -> Option<String> {
    let filled = summary.collections.iter().filter(|c| drops && c.documents_existing > 0);
    let names: Vec<&str> = filled.map(|c| c.name.as_str()).collect();
    match names[..] {
        [] => None,
        [only] => Some(only.into()),
        [..] => Some(DROP.into()),
    }
}

/// Whether a job may start: not before it is known what it would drop. Where that cannot be had the server decides.
pub fn may_start(draft: &Draft, extent: &Remote<JobSummary>) -> bool {
    match extent {
        Remote::Loading => false,
        Remote::Failed(_) => true,
        Remote::Ready(summary) => {
            let word = confirmation_word(summary, draft.options.drop_collections);
            word.is_none_or(|word| draft.confirmation.trim() == word)
        }
    }
}

#[component]
pub fn DropConfirmation() -> impl IntoView {
    let wizard = use_wizard();
    let word = Memo::new(move |_| {
        let drops = wizard.draft.with(|draft| draft.options.drop_collections);
        wizard.extent.with(|extent| match extent {
            Remote::Ready(summary) => confirmation_word(summary, drops),
            Remote::Loading | Remote::Failed(_) => None,
        })
    });
    move || {
        word.get().map(|word| {
            let label = format!("Type {word} to delete these documents");
            let own = word.clone();
            let error = Signal::derive(move || {
                let is_typed = wizard.draft.confirmation().with(|text| text.trim() == own);
                (wizard.was_tried.get() && !is_typed).then(|| format!("Type {own}, or go back and keep the documents."))
            });
            view! {
                <TextField
                    label=label
                    kind=FieldKind::Code
                    value=wizard.draft.confirmation()
                    placeholder=word
                    error=error
                    testid="drop-confirmation"
                />
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiError;
    use godwit_shared::summary::CollectionExtent;

    fn summary(documents: &[u64]) -> JobSummary {
        let collection = |(i, documents_existing): (usize, &u64)| CollectionExtent {
            name: format!("c{i}"),
            tables: vec![],
            documents_existing: *documents_existing,
        };
        JobSummary {
            collections: documents.iter().enumerate().map(collection).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn documents_are_dropped_when_the_user_has_typed_so() {
        let word = |documents: &[u64], drops| confirmation_word(&summary(documents), drops);
        assert_eq!(word(&[0, 0], true), None);
        assert_eq!(word(&[0, 5], true).as_deref(), Some("c1"));
        assert_eq!(word(&[1, 5], true).as_deref(), Some("drop"));
        assert_eq!(word(&[1, 5], false), None);
    }

    #[test]
    fn a_job_starts_when_it_is_known_what_goes() {
        let mut draft = Draft::default();
        assert!(!may_start(&draft, &Remote::Loading));
        assert!(may_start(&draft, &Remote::Failed(ApiError::Unreachable)));
        let ready = Remote::Ready(summary(&[7]));
        assert!(may_start(&draft, &ready));
        draft.options.drop_collections = true;
        assert!(!may_start(&draft, &ready));
        draft.confirmation = " c0".into();
        assert!(may_start(&draft, &ready));
    }
}
