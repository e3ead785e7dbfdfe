//! The *Mapping* tab: the tables of the source, the collections made of them, the rules between the two, and documents
//! as they will be.
//!
//! What is shown is worked out by plain functions: the trees ([`relational`], [`documents`]) and the rules in words
//! ([`rules`]). Which collection is chosen stands in the URL.

mod diagram;
mod documents;
mod fill;
mod lineage;
mod preview;
mod relational;
mod rule_list;
mod rules;
#[cfg(test)]
mod samples;
mod source;
mod trees;

use crate::api;
use crate::components::skeleton::Skeleton;
use crate::live::use_live;
use crate::pages::project::use_project_id;
use crate::remote::{Remote, show_remote};
use crate::routes;
use diagram::pane::{DiagramCalls, DiagramPane};
use diagram::state::DiagramState;
use fill::NoCollections;
use godwit_shared::ids::{CollectionId, ProjectId};
use godwit_shared::mapping::Content;
use godwit_shared::project::ProjectDetails;
use godwit_shared::schema::RelationalModel;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use preview::PreviewPane;
use rule_list::RulePane;
use std::sync::Arc;
use trees::{MongodbTree, RelationalTree};

/// What the server knows of the project.
#[derive(Debug, PartialEq)]
pub struct MappedProject {
    pub details: ProjectDetails,
    pub model: RelationalModel,
}

impl MappedProject {
    fn content(&self) -> &Content {
        &self.details.content
    }
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub struct MappingContext {
    pub project: StoredValue<Arc<MappedProject>>,
    pub collection: Memo<Option<CollectionId>>,
    choose: Callback<CollectionId>,
}

impl MappingContext {
    fn new(id: &ProjectId, project: Arc<MappedProject>) -> Self {
        let project = StoredValue::new(project);
        let query = use_query_map();
        let collection = Memo::new(move |_| {
            let wanted = query.with(|query| query.get(routes::COLLECTION));
            project.with_value(|project| chosen(project.content(), wanted))
        });
        let (navigate, id) = (use_navigate(), id.clone());
        let choose = Callback::new(move |collection: CollectionId| {
            navigate(&routes::mapping_of(&id, &collection), Default::default());
        });
        Self {
            project,
            collection,
            choose,
        }
    }

    pub fn choose(self, collection: CollectionId) {
        self.choose.run(collection);
    }

    pub fn with_content<T>(self, read: impl FnOnce(&Content) -> T) -> T {
        self.project.with_value(|project| read(project.content()))
    }

    /// The name of a collection.
    pub fn name_of(self, collection: &CollectionId) -> String {
        self.with_content(|content| {
            content
                .collections
                .get(collection)
                .map(|c| c.name.clone())
                .unwrap_or_default()
        })
    }
}

pub fn use_mapping() -> MappingContext {
    expect_context()
}

/// The collection that the URL names, else the first one.
fn chosen(content: &Content, wanted: Option<String>) -> Option<CollectionId> {
    let wanted = wanted
        .map(CollectionId::new)
        .filter(|id| content.collections.contains_key(id));
    wanted.or_else(|| content.collections.keys().next().cloned())
}

#[component]
pub fn MappingPage() -> impl IntoView {
    let id = use_project_id();
    let live = use_live();
    let answer = LocalResource::new(move || {
        live.projects_version();
        let id = id.get();
        async move {
            let (details, schema) = futures_util::try_join!(api::projects::get(&id), api::schema::of_project(&id))?;
            Ok(Arc::new(MappedProject {
                details,
                model: schema.full,
            }))
        }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let ready = move |project: Arc<MappedProject>| match project.content().collections.is_empty() {
        true => view! { <NoCollections project=project on_filled=retry/> }.into_any(),
        false => view! { <Mapping id=id.get_untracked() project=project/> }.into_any(),
    };
    show_remote(state.into(), || view! { <MappingSkeleton/> }.into_any(), retry, ready)
}

#[component]
fn MappingSkeleton() -> impl IntoView {
    view! { <div class="gw-page"><Skeleton lines=8/></div> }
}

#[component]
fn Mapping(id: ProjectId, project: Arc<MappedProject>) -> impl IntoView {
    let context = MappingContext::new(&id, project.clone());
    provide_context(context);
    let content = Signal::stored(Arc::new(project.content().clone()));
    let model = Signal::stored(Arc::new(project.model.clone()));
    let state = DiagramState::new(content, model, RwSignal::new(Vec::new()), RwSignal::new(None));
    let calls = DiagramCalls {
        on_move: Callback::new(move |(side, places)| state.put(side, places)),
        on_layout: Callback::new(move |layout| state.arrange(layout)),
        on_draw: Callback::new(|_| ()),
        on_carry: Callback::new(|_| ()),
        on_remove: Callback::new(|()| ()),
    };
    view! {
        <div class="gw-mapping">
            <aside class="gw-mapping__trees" aria-label="Source and collections">
                <RelationalTree/>
                <MongodbTree/>
            </aside>
            <DiagramPane state=state calls=calls/>
            <div class="gw-mapping__side">
                <RulePane/>
                <PreviewPane id=id/>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_always_chosen_where_there_is_one() {
        let content = samples::content();
        let check = |wanted: Option<&str>, expected: &str| {
            let chosen = chosen(&content, wanted.map(Into::into));
            assert_eq!(chosen, Some(CollectionId::new(expected)));
        };
        check(None, "c1");
        check(Some("c2"), "c2");
        check(Some("gone"), "c1");
        assert_eq!(chosen(&Content::default(), Some("c1".into())), None);
    }
}
