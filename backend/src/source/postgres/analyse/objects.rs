//! Views, routines and triggers with their SQL. What belongs to an extension, or comes with a type, is not
//! the user's to carry over.

use super::super::client::PgClient;
use super::asked;
use crate::analysis::facts::{ObjectFacts, ObjectKind, SourceFacts};
use crate::source::SourceError;
use godwit_shared::schema::TableName;

const VIEWS: &str = "
    SELECT n.nspname::text, c.relname::text, c.relkind::text = 'm', coalesce(pg_get_viewdef(c.oid, true), '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
    ORDER BY 1, 2";

/// Before 11 there are no procedures, and aggregates have a column of their own.
const ROUTINES: &str = "
    WITH p AS (
        SELECT p.oid, p.pronamespace, p.proname, l.lanname,
               coalesce(to_jsonb(p) ->> 'prokind', CASE WHEN (to_jsonb(p) ->> 'proisagg')::bool THEN 'a' ELSE 'f' END) AS kind
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384)
    SELECT n.nspname::text, p.proname::text || '(' || coalesce(pg_get_function_identity_arguments(p.oid), '') || ')', p.kind,
           p.lanname::text,
           CASE p.kind WHEN 'a' THEN format('CREATE AGGREGATE %I.%I(%s) (SFUNC = %s, STYPE = %s)', n.nspname, p.proname,
                    pg_get_function_identity_arguments(p.oid), a.aggtransfn::regproc, format_type(a.aggtranstype, NULL))
                ELSE pg_get_functiondef(p.oid) END
    FROM p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype IN ('e', 'i'))
    ORDER BY 1, 2";

/// Those of partitions that come from their root are told once.
const TRIGGERS: &str = "
    SELECT n.nspname::text, c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid, true)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0' AND c.oid >= 16384
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.classid = 'pg_trigger'::regclass AND d.deptype = 'e')
    ORDER BY 1, 2, 3";

/// Of a leaf its root.
const ROOTS: &str = "
    WITH RECURSIVE tree(root, oid) AS (
        SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition
        UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
    SELECT n.nspname::text, c.relname::text, rn.nspname::text, r.relname::text
    FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class r ON r.oid = t.root JOIN pg_namespace rn ON rn.oid = r.relnamespace WHERE t.oid <> t.root";

/// Reads them.
///
/// # Errors
/// When the connection is lost.
pub(super) async fn read(pg: &PgClient, facts: &mut SourceFacts) -> Result<(), SourceError> {
    for row in asked(pg, VIEWS, "views", &mut facts.gaps).await? {
        facts.views.push(ObjectFacts {
            schema: row.get(0),
            name: row.get(1),
            kind: if row.get(2) {
                ObjectKind::MaterializedView
            } else {
                ObjectKind::View
            },
            definition: row.get(3),
            ..ObjectFacts::default()
        });
    }
    for row in asked(pg, ROUTINES, "routines", &mut facts.gaps).await? {
        let kind: &str = row.get(2);
        facts.routines.push(ObjectFacts {
            schema: row.get(0),
            name: row.get(1),
            kind: match kind {
                "p" => ObjectKind::Procedure,
                "a" => ObjectKind::Aggregate,
                _ => ObjectKind::Function,
            },
            // An aggregate has none of its own.
            language: (kind != "a").then(|| row.get(3)),
            table: None,
            definition: row.get::<_, Option<String>>(4).unwrap_or_default(),
        });
    }
    let roots: std::collections::HashMap<TableName, TableName> = asked(pg, ROOTS, "partitions", &mut facts.gaps)
        .await?
        .iter()
        .map(|row| {
            let name = |at: usize| TableName::new(row.get::<_, String>(at), row.get::<_, String>(at + 1));
            (name(0), name(2))
        })
        .collect();
    for row in asked(pg, TRIGGERS, "triggers", &mut facts.gaps).await? {
        let (schema, table, name): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let own = TableName::new(&schema, &table);
        facts.triggers.push(ObjectFacts {
            name: format!("{table}.{name}"),
            schema,
            kind: ObjectKind::Trigger,
            language: None,
            table: Some(roots.get(&own).cloned().unwrap_or(own)),
            definition: row.get(3),
        });
    }
    Ok(())
}
