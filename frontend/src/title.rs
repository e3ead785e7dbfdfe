//! What a page is called, in the tab of the browser and for screen readers.

use crate::browser;
use crate::projects::use_projects;
use crate::remote::Remote;
use crate::routes;
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Follows the path: sets the title of the document, and after a navigation moves the focus to the heading, so that it is
/// read out and the next Tab leads into the page.
#[component]
pub fn PageTitle() -> impl IntoView {
    let path = use_location().pathname;
    let projects = use_projects().state();
    let title = Memo::new(move |_| {
        let name = |id: &str| match projects.get() {
            Remote::Ready(list) => list.into_iter().find(|p| p.id == ProjectId::new(id)).map(|p| p.name),
            Remote::Loading | Remote::Failed(_) => None,
        };
        title(&path.get(), name)
    });
    Effect::new(move |_| document().set_title(&title.get()));
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|before| before != path) {
            // After the page has been rendered.
            request_animation_frame(browser::focus_heading);
        }
        path
    });
}

/// `Shop · Data Migration · Godwit`
fn title(path: &str, project_name: impl Fn(&str) -> Option<String>) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (project, page) = match parts[..] {
        [] => (None, "Projects"),
        ["projects", id, "mapping"] => (project_name(id), "Mapping"),
        ["projects", id, ..] => (project_name(id), "Data Migration"),
        _ if path == routes::CONNECTIONS => (None, "Connections"),
        _ if path == routes::NEW_PROJECT => (None, "New project"),
        _ => (None, "Not found"),
    };
    let parts = project.into_iter().chain([page.to_owned(), "Godwit".to_owned()]);
    parts.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_own_title() {
        let name = |id: &str| (id == "p1").then(|| "Shop".to_owned());
        for (path, expected) in [
            ("/", "Projects · Godwit"),
            ("/connections", "Connections · Godwit"),
            ("/new-project", "New project · Godwit"),
            ("/projects/p1/mapping", "Shop · Mapping · Godwit"),
            ("/projects/p1/migration", "Shop · Data Migration · Godwit"),
            ("/projects/gone/migration", "Data Migration · Godwit"),
            ("/nothing", "Not found · Godwit"),
        ] {
            assert_eq!(title(path, name), expected, "{path}");
        }
    }
}
