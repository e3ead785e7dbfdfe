//! How the rows of a table match a key that somebody wants to draw.

use super::OpenSource;
use crate::jobs::prepare::PrepareError;
use crate::plan::{About, Join, PlanProblem, find_join};
use crate::source::SourceError;
use crate::source::api::Matched;
use godwit_shared::draft::KeyMatch;
use godwit_shared::edit::Part;
use godwit_shared::mapping::RuleType;
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::{ForeignKey, TableName};

/// The name under which a key is looked at that has none yet.
const DRAWN: &str = "a key that is drawn";

/// Counts the rows that find one by a key, compared as a job would.
///
/// # Errors
/// When the key cannot join the two tables, or the source fails.
pub async fn check_key(
    opened: &OpenSource,
    file: &ProjectFile,
    table: &TableName,
    key: &ForeignKey,
) -> Result<KeyMatch, PrepareError> {
    let mut model = file.schema.full.clone();
    let target = key.target_table.name();
    for tables in model
        .databases
        .values_mut()
        .filter_map(|d| d.schemas.get_mut(&table.schema))
    {
        if let Some(of) = tables.tables.get_mut(&table.table) {
            // The key alone: others between the two tables would make one of them all.
            of.foreign_keys.clear();
            let drawn = ForeignKey {
                synthetic: true,
                ..key.clone()
            };
            of.foreign_keys.insert(DRAWN.to_owned(), drawn);
        }
    }
    let problem = |message: String, kind| {
        PrepareError::Mapping(vec![PlanProblem {
            collection: "*".into(),
            rule: None,
            table: Some(table.clone()),
            about: About(kind, Part::Link),
            message,
        }])
    };
    let gone = |name: &TableName| {
        let message = format!("the source has no table {name}");
        problem(message, godwit_shared::edit::FaultKind::TableGone)
    };
    let catalog = &opened.catalog;
    let own = catalog.tables.get(table).ok_or_else(|| gone(table))?;
    let parent = catalog.tables.get(&target).ok_or_else(|| gone(&target))?;
    let unreadable: Vec<String> = [own, parent]
        .iter()
        .filter(|t| !t.can_select)
        .map(|t| t.name.to_string())
        .collect();
    if !unreadable.is_empty() {
        return Err(SourceError::NoSelect { tables: unreadable }.into());
    }
    let kind = RuleType::EmbeddedDocumentArray;
    let join: Join = find_join(&model, catalog, kind, Some(DRAWN), parent, own)
        .map_err(|found| problem(found.message, found.kind))?;
    let Matched {
        rows,
        nulls,
        matching,
        most_for_one,
        is_target_unique,
        examples,
    } = opened.session.match_key(parent, own, &join).await?;
    Ok(KeyMatch {
        rows,
        nulls,
        matching,
        unmatched: rows.saturating_sub(nulls + matching),
        most_for_one,
        is_target_unique,
        is_indexed: join.is_indexed,
        compared_as: join.chosen(parent, own),
        examples,
    })
}
