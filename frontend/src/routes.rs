//! The paths of the page. What is selected stands in the URL, so that a link leads to it.

use godwit_shared::ids::{CollectionId, JobId, ProjectId};

pub const HOME: &str = "/";
pub const CONNECTIONS: &str = "/connections";
pub const SETTINGS: &str = "/settings";
pub const NEW_PROJECT: &str = "/new-project";
/// The query parameter that names the step of a new project.
pub const STEP: &str = "step";

/// The query parameter that names the collection of the *Mapping* tab.
pub const COLLECTION: &str = "collection";

/// The query parameter that names the part of the *Pre-Migration Analysis* tab.
pub const PART: &str = "part";

/// What the *Pre-Migration Analysis* tab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnalysisPart {
    #[default]
    Summary,
    Detections,
    Tables,
    Routines,
    Triggers,
    Views,
    Features,
    Prerequisites,
    DryRun,
}

impl AnalysisPart {
    pub const ALL: [AnalysisPart; 9] = [
        AnalysisPart::Summary,
        AnalysisPart::Detections,
        AnalysisPart::Tables,
        AnalysisPart::Routines,
        AnalysisPart::Triggers,
        AnalysisPart::Views,
        AnalysisPart::Features,
        AnalysisPart::Prerequisites,
        AnalysisPart::DryRun,
    ];

    /// As the URL names it.
    pub fn name(self) -> &'static str {
        match self {
            AnalysisPart::Summary => "summary",
            AnalysisPart::Detections => "detections",
            AnalysisPart::Tables => "tables",
            AnalysisPart::Routines => "routines",
            AnalysisPart::Triggers => "triggers",
            AnalysisPart::Views => "views",
            AnalysisPart::Features => "features",
            AnalysisPart::Prerequisites => "prerequisites",
            AnalysisPart::DryRun => "dry-run",
        }
    }

    /// As the page names it.
    pub fn label(self) -> &'static str {
        match self {
            AnalysisPart::Summary => "Summary",
            AnalysisPart::Detections => "All detections",
            AnalysisPart::Tables => "Tables",
            AnalysisPart::Routines => "Stored procedures",
            AnalysisPart::Triggers => "Triggers",
            AnalysisPart::Views => "Views",
            AnalysisPart::Features => "Incompatible features",
            AnalysisPart::Prerequisites => "Prerequisites",
            AnalysisPart::DryRun => "Dry run",
        }
    }

    /// Reads the query parameter; what is unknown is the summary.
    pub fn from_query(part: Option<String>) -> Self {
        let wanted = part.unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|part| part.name() == wanted)
            .unwrap_or_default()
    }

    /// The path with its query.
    pub fn path(self, project: &ProjectId) -> String {
        match self {
            AnalysisPart::Summary => analysis(project),
            part => format!("{}?{PART}={}", analysis(project), part.name()),
        }
    }
}

/// What the *Data Migration* tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationView {
    /// The selected job; absent: the newest.
    pub job: Option<JobId>,
    /// The wizard, where it is open.
    pub wizard: Option<WizardStart>,
}

/// What the wizard starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WizardStart {
    Empty,
    /// The connections and options of this job.
    LikeJob(JobId),
}

const EMPTY: &str = "new";

impl MigrationView {
    pub fn of_job(job: JobId) -> Self {
        Self {
            job: Some(job),
            wizard: None,
        }
    }

    /// Reads the query parameters `job` and `wizard`.
    pub fn from_query(job: Option<String>, wizard: Option<String>) -> Self {
        let given = |text: Option<String>| text.filter(|t| !t.is_empty());
        Self {
            job: given(job).map(JobId::new),
            wizard: given(wizard).map(|text| match text.as_str() {
                EMPTY => WizardStart::Empty,
                _ => WizardStart::LikeJob(JobId::new(text)),
            }),
        }
    }

    pub fn with_wizard(self, wizard: Option<WizardStart>) -> Self {
        Self { wizard, ..self }
    }

    /// The path with its query.
    pub fn path(&self, project: &ProjectId) -> String {
        let job = self.job.as_ref().map(|id| format!("job={id}"));
        let wizard = self.wizard.as_ref().map(|start| match start {
            WizardStart::Empty => format!("wizard={EMPTY}"),
            WizardStart::LikeJob(id) => format!("wizard={id}"),
        });
        let query = job.into_iter().chain(wizard).collect::<Vec<_>>().join("&");
        let separator = if query.is_empty() { "" } else { "?" };
        format!("/projects/{project}/migration{separator}{query}")
    }
}

/// A new project at the step of this name.
pub fn new_project(step: &str) -> String {
    format!("{NEW_PROJECT}?{STEP}={step}")
}

pub fn mapping(project: &ProjectId) -> String {
    format!("/projects/{project}/mapping")
}

/// The rules of one collection.
pub fn mapping_of(project: &ProjectId, collection: &CollectionId) -> String {
    format!("{}?{COLLECTION}={collection}", mapping(project))
}

pub fn analysis(project: &ProjectId) -> String {
    format!("/projects/{project}/analysis")
}

pub fn migration(project: &ProjectId) -> String {
    MigrationView::default().path(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_an_analysis_survives_the_url() {
        for part in AnalysisPart::ALL {
            let path = part.path(&ProjectId::new("p1"));
            let query = path.split_once("part=").map(|(_, part)| part.to_owned());
            assert_eq!(AnalysisPart::from_query(query), part, "{path}");
        }
        assert_eq!(
            AnalysisPart::from_query(Some("none of them".into())),
            AnalysisPart::Summary
        );
    }

    #[test]
    fn what_is_selected_survives_the_url() {
        let project = ProjectId::new("p1");
        let job = JobId::new("j-1");
        let check = |view: MigrationView, path: &str, query: [Option<&str>; 2]| {
            assert_eq!(view.path(&project), path);
            let [job, wizard] = query.map(|q| q.map(String::from));
            assert_eq!(MigrationView::from_query(job, wizard), view);
        };
        check(MigrationView::default(), "/projects/p1/migration", [None, Some("")]);
        check(
            MigrationView::of_job(job.clone()),
            "/projects/p1/migration?job=j-1",
            [Some("j-1"), None],
        );
        check(
            MigrationView::of_job(job.clone()).with_wizard(Some(WizardStart::LikeJob(job))),
            "/projects/p1/migration?job=j-1&wizard=j-1",
            [Some("j-1"), Some("j-1")],
        );
        check(
            MigrationView::default().with_wizard(Some(WizardStart::Empty)),
            "/projects/p1/migration?wizard=new",
            [None, Some("new")],
        );
    }
}
