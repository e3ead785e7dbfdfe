//! A text becomes a project.

use super::types::{CollectionText, FieldText, ProjectText, RuleText, Shape};
use super::{FORM, patch};
use godwit_shared::casing::Casing;
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use godwit_shared::initial::{InitialMapping, content_of, fields_of};
use godwit_shared::mapping::{
    ArrayConditions, ArraySort, CalculatedField, Children, Collection, CollectionType, Content, Field, FieldSource,
    FieldTarget, FieldType, KeyHandling, Mapping, MappingList, RuleFilter, RuleSettings, RuleType, SortOrder,
    TableEntry,
};
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::{RelationalModel, TablePath};
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Reads a text that has its relational model.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn from_text(text: &str) -> Result<ProjectFile, String> {
    let mut parsed = parse(text)?;
    let schema = parsed.schema.take().ok_or(
        "the text has no schema: make a .relmig file of it with `godwit convert` and --source, which reads it from there",
    )?;
    let full: RelationalModel = serde_json::from_value(schema).map_err(|e| format!("schema: {e}"))?;
    finish(&parsed, full)
}

/// Reads a text with the relational model of a live source.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn from_text_with(text: &str, full: RelationalModel) -> Result<ProjectFile, String> {
    finish(&parse(text)?, full)
}

/// Whether a text has its relational model with it.
pub fn has_schema(text: &str) -> bool {
    parse(text).is_ok_and(|parsed| parsed.schema.is_some())
}

fn parse(text: &str) -> Result<ProjectText, String> {
    let parsed: ProjectText = serde_norway::from_str(text).map_err(|e| e.to_string())?;
    match parsed.godwit {
        FORM => Ok(parsed),
        other => Err(format!(
            "godwit: {other} is a form that this version does not read; it reads {FORM}"
        )),
    }
}

fn finish(text: &ProjectText, full: RelationalModel) -> Result<ProjectFile, String> {
    let mut value = rebuilt(text, full.clone())?;
    take_schema(&mut value, &full)?;
    patch::apply(&mut value, &text.other);
    ProjectFile::from_value(value).map_err(|e| e.to_string())
}

/// The schema itself is not what a text changes: it goes in at the end.
pub(super) fn take_schema(value: &mut Value, full: &RelationalModel) -> Result<(), String> {
    value["schema"]["full"] = serde_json::to_value(full).map_err(|e| e.to_string())?;
    Ok(())
}

/// A value of an enum of the wire.
fn of_word<T: DeserializeOwned>(what: &str, word: &str) -> Result<T, String> {
    serde_json::from_value(json!(word)).map_err(|e| format!("{what}: {e}"))
}

/// The project file that the text says, without what stands under `other`.
pub(super) fn rebuilt(text: &ProjectText, full: RelationalModel) -> Result<Value, String> {
    let head = &text.project;
    let casing: Casing = head
        .casing
        .as_deref()
        .map_or(Ok(Casing::default()), |w| of_word("casing", w))?;
    let keys: KeyHandling = head
        .keys
        .as_deref()
        .map_or(Ok(KeyHandling::default()), |w| of_word("keys", w))?;
    let mut content = content_of(&full, casing, keys, InitialMapping::Empty);
    if let Some(tables) = &text.tables {
        content.tables = IndexMap::new();
        for (n, table) in tables.iter().enumerate() {
            let path = path_of(&full, &table.table).ok_or_else(|| unknown(&table.table))?;
            let id = table.id.clone().unwrap_or_else(|| format!("table-{}", n + 1));
            let mut extra = Map::new();
            if table.condition.is_some() || table.rows.is_some() {
                let filter = godwit_shared::job::TableFilter {
                    where_clause: table.condition.clone(),
                    row_count: table.rows,
                };
                extra.insert(
                    "filter".into(),
                    serde_json::to_value(filter).map_err(|e| e.to_string())?,
                );
            }
            content.tables.insert(TableId::new(id), TableEntry { path, extra });
        }
    }
    let file = ProjectFile::new(head.name.clone(), head.kind.clone(), head.id.clone(), content, full);
    let mut reader = Reader {
        names: Names::of(&file.project.content),
        taken: text.collections.iter().flat_map(ids_of).collect(),
        file,
        habits: Habits {
            types_are_written: head.types_are_written,
            conversion: head.conversion.clone(),
        },
        count: 0,
    };
    for (n, collection) in text.collections.iter().enumerate() {
        reader.collection(n, collection)?;
    }
    let mut file = reader.file;
    file.project.id = head.id.clone();
    serde_json::to_value(&file).map_err(|e| e.to_string())
}

fn ids_of(collection: &CollectionText) -> Vec<String> {
    let mut open: Vec<&RuleText> = collection.rules.iter().collect();
    let mut found = Vec::new();
    while let Some(rule) = open.pop() {
        found.extend(rule.id.clone());
        open.extend(&rule.rules);
    }
    found
}

fn unknown(table: &str) -> String {
    format!("the schema has no table {table}, or several that are written so: write database.schema.table")
}

fn path_of(full: &RelationalModel, name: &str) -> Option<TablePath> {
    let is_named = |path: &TablePath| short_name(path) == name || long_name(path) == name;
    let mut found = full.tables().map(|(path, _)| path).filter(is_named);
    // Of two that are written alike, neither is meant.
    found.next().filter(|_| found.next().is_none())
}

fn short_name(path: &TablePath) -> String {
    format!("{}.{}", path.schema, path.table)
}

fn long_name(path: &TablePath) -> String {
    format!("{}.{}.{}", path.database, path.schema, path.table)
}

/// How tables are named in a text: as shortly as is clear.
pub(super) struct Names(Vec<(TableId, String)>);

impl Names {
    pub fn of(content: &Content) -> Self {
        let paths: Vec<&TablePath> = content.tables.values().map(|entry| &entry.path).collect();
        let is_clear = |name: &str| {
            paths
                .iter()
                .filter(|p| short_name(p) == name || long_name(p) == name)
                .count()
                == 1
        };
        let named = content.tables.iter().map(|(id, entry)| {
            let all = [short_name(&entry.path), long_name(&entry.path)];
            let clear = all.into_iter().find(|name| is_clear(name));
            (id.clone(), clear.unwrap_or_else(|| format!("#{id}")))
        });
        Self(named.collect())
    }

    pub fn name_of(&self, id: &TableId) -> String {
        let found = self.0.iter().find(|(other, _)| other == id);
        found.map_or_else(|| format!("#{id}"), |(_, name)| name.clone())
    }

    fn id_of(&self, content: &Content, name: &str) -> Option<TableId> {
        if let Some(id) = name.strip_prefix('#') {
            return Some(TableId::new(id)).filter(|id| content.tables.contains_key(id));
        }
        let found = self.0.iter().find(|(_, own)| own == name).map(|(id, _)| id.clone());
        found.or_else(|| {
            let mut all = content
                .tables
                .iter()
                .filter(|(_, e)| long_name(&e.path) == name)
                .map(|(id, _)| id.clone());
            all.next().filter(|_| all.next().is_none())
        })
    }
}

/// The tables of a project that nobody has chosen any of.
pub(super) fn default_tables(full: &RelationalModel) -> IndexMap<TableId, TableEntry> {
    content_of(full, Casing::default(), KeyHandling::default(), InitialMapping::Empty).tables
}

/// What is written of every field, whether it says something or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Habits {
    pub types_are_written: bool,
    pub conversion: Option<String>,
}

/// The member of a field that other tools write.
const CONVERSION: &str = "conversionStrategy";

impl Habits {
    /// Those of a project whose fields are alike.
    pub fn of(file: &ProjectFile) -> Self {
        let fields: Vec<(&Mapping, &String, &Field)> = (file.project.content.mappings.values())
            .flat_map(|rule| rule.fields.iter().map(move |(column, field)| (rule, column, field)))
            .collect();
        let written = fields.iter().filter(|(rule, column, field)| {
            let usual = usual_type(file, &rule.table, column);
            field.target.kind != FieldType::Default && usual == Some(field.target.kind)
        });
        let conversion_of = |field: &Field| {
            field
                .target
                .extra
                .get(CONVERSION)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let first = fields.first().and_then(|(_, _, field)| conversion_of(field));
        Self {
            types_are_written: written.count() * 2 > fields.len(),
            conversion: first.filter(|word| {
                fields
                    .iter()
                    .all(|(_, _, field)| conversion_of(field).as_ref() == Some(word))
            }),
        }
    }

    /// The fields that the columns of a table give.
    pub fn base_fields(&self, file: &ProjectFile, table: &str) -> IndexMap<String, Field> {
        let entry = file.project.content.tables.get(&TableId::new(table));
        let found = entry.and_then(|entry| file.schema.full.table(&entry.path.name()));
        let casing = file.project.content.settings.casing;
        let mut fields = found.map_or_else(IndexMap::new, |table| fields_of(table, casing));
        for (column, field) in &mut fields {
            self.mark(field);
            if self.types_are_written {
                field.target.kind = usual_type(file, table, column).unwrap_or_default();
            }
        }
        fields
    }

    /// A field of a column that the schema does not have, as `_id` is none.
    pub fn unknown_field(&self, column: &str) -> Field {
        let mut field = unknown_field(column);
        self.mark(&mut field);
        field
    }

    fn mark(&self, field: &mut Field) {
        if let Some(word) = &self.conversion {
            field.target.extra.insert(CONVERSION.into(), json!(word));
        }
    }
}

/// The type that the schema says a column becomes.
fn usual_type(file: &ProjectFile, table: &str, column: &str) -> Option<FieldType> {
    let entry = file.project.content.tables.get(&TableId::new(table))?;
    let column = file.schema.full.table(&entry.path.name())?.columns.get(column)?;
    of_word("type", column.kind.default_mongo_field_type.as_deref()?).ok()
}

/// A field of a column that the schema does not have, as `_id` is none.
fn unknown_field(column: &str) -> Field {
    Field {
        target: FieldTarget {
            name: column.to_owned(),
            included: true,
            is_null_excluded: false,
            kind: FieldType::Default,
            extra: Map::new(),
        },
        source: FieldSource {
            name: column.to_owned(),
            database_specific_type: "NONE".into(),
            is_primary_key: false,
            extra: Map::new(),
        },
        extra: Map::new(),
    }
}

struct Reader {
    file: ProjectFile,
    habits: Habits,
    names: Names,
    /// Ids of rules that stand in the text: others are not given again.
    taken: Vec<String>,
    count: usize,
}

impl Reader {
    fn collection(&mut self, n: usize, text: &CollectionText) -> Result<(), String> {
        let id = CollectionId::new(text.id.clone().unwrap_or_else(|| format!("collection-{}", n + 1)));
        let mut extra = Map::new();
        if let Some(series) = &text.time_series {
            extra.insert(godwit_shared::edit::TIME_SERIES.into(), series.clone());
        }
        let collection = Collection {
            name: text.name.clone(),
            kind: match text.time_series {
                Some(_) => CollectionType::TimeSeries,
                None => CollectionType::Regular,
            },
            extra,
        };
        let content = &mut self.file.project.content;
        if content.collections.insert(id.clone(), collection).is_some() {
            return Err(format!("two collections have the id {id}"));
        }
        content
            .relationships
            .collections
            .insert(id.clone(), MappingList::default());
        for rule in &text.rules {
            if rule.shape != Shape::Documents {
                return Err(format!(
                    "{}, {}: a rule right below a collection makes documents",
                    text.name, rule.table
                ));
            }
            self.rule(&id, rule)?;
        }
        Ok(())
    }

    fn rule_id(&mut self, text: &RuleText) -> MappingId {
        if let Some(id) = &text.id {
            return MappingId::new(id);
        }
        loop {
            self.count += 1;
            let id = format!("mapping-{}", self.count);
            if !self.taken.contains(&id) {
                return MappingId::new(id);
            }
        }
    }

    fn rule(&mut self, collection: &CollectionId, text: &RuleText) -> Result<MappingId, String> {
        let table = self
            .names
            .id_of(&self.file.project.content, &text.table)
            .ok_or_else(|| unknown(&text.table))?;
        let id = self.rule_id(text);
        let settings = settings_of(text)?;
        let fields = self.fields(&table, text)?;
        let mut calculated_fields = IndexMap::new();
        for (n, field) in text.calculated.iter().enumerate() {
            let key = field.id.clone().unwrap_or_else(|| format!("calculated-{}", n + 1));
            let kind = field.kind.as_deref().map(|w| of_word("type", w)).transpose()?;
            let calculated = CalculatedField {
                name: field.name.clone(),
                expression: field.expression.clone(),
                is_null_excluded: field.omit_null,
                kind,
                extra: Map::new(),
            };
            calculated_fields.insert(key, calculated);
        }
        let mapping = Mapping {
            settings,
            fields,
            calculated_fields,
            collection_id: collection.clone(),
            table: table.to_string(),
            extra: Map::new(),
        };
        let content = &mut self.file.project.content;
        let path = content
            .tables
            .get(&table)
            .map(|entry| long_name(&entry.path))
            .unwrap_or_default();
        if content.mappings.insert(id.clone(), mapping).is_some() {
            return Err(format!("two rules have the id {id}"));
        }
        let relationships = &mut content.relationships;
        relationships.tables.entry(path).or_default().mappings.push(id.clone());
        relationships
            .collections
            .entry(collection.clone())
            .or_default()
            .mappings
            .push(id.clone());
        relationships.mappings.insert(id.clone(), Children::default());
        let mut children = Vec::new();
        for below in &text.rules {
            if below.shape == Shape::Documents {
                return Err(format!(
                    "{}: a rule below another one is a document or an array in it: say `as: document` or `as: array`",
                    below.table
                ));
            }
            children.push(self.rule(collection, below)?);
        }
        let own = self
            .file
            .project
            .content
            .relationships
            .mappings
            .entry(id.clone())
            .or_default();
        own.children = children;
        Ok(id)
    }

    fn fields(&self, table: &TableId, text: &RuleText) -> Result<IndexMap<String, Field>, String> {
        let base = self.habits.base_fields(&self.file, table.as_str());
        let Some(given) = &text.fields else { return Ok(base) };
        let mut fields = IndexMap::new();
        for (column, given) in given {
            let mut field = base
                .get(column)
                .cloned()
                .unwrap_or_else(|| self.habits.unknown_field(column));
            let target = &mut field.target;
            match given {
                FieldText::Is(included) => target.included = *included,
                FieldText::Name(name) => (target.included, target.name) = (true, name.clone()),
                FieldText::Full(full) => {
                    target.name = full.name.clone().unwrap_or_else(|| target.name.clone());
                    target.included = full.included.unwrap_or(target.included);
                    target.is_null_excluded = full.omit_null.unwrap_or(target.is_null_excluded);
                    if let Some(kind) = &full.kind {
                        target.kind = of_word(&format!("{}.{column}: type", text.table), kind)?;
                    }
                    if let Some(kind) = &full.column_type {
                        field.source.database_specific_type = kind.clone();
                    }
                }
            }
            fields.insert(column.clone(), field);
        }
        Ok(fields)
    }
}

fn settings_of(text: &RuleText) -> Result<RuleSettings, String> {
    let sort = text.sort.as_ref().map(|sort| match sort.strip_prefix('-') {
        Some(field) => ArraySort {
            field: field.to_owned(),
            order: SortOrder::Desc,
        },
        None => ArraySort {
            field: sort.clone(),
            order: SortOrder::Asc,
        },
    });
    let has_conditions = sort.is_some() || text.limit.is_some() || text.as_document.is_some();
    Ok(RuleSettings {
        kind: match text.shape {
            Shape::Documents => RuleType::NewDocument,
            Shape::Document => RuleType::EmbeddedDocument,
            Shape::Array => RuleType::EmbeddedDocumentArray,
        },
        embedded_path: text.path.clone(),
        foreign_key_name: text.key.clone(),
        primitive: text.primitive,
        rule_filter: text.filter.as_ref().map(|expression| RuleFilter {
            expression: expression.clone(),
            extra: Map::new(),
        }),
        array_conditions: has_conditions.then(|| ArrayConditions {
            sort,
            limit: text.limit,
            as_document: text.as_document,
            extra: Map::new(),
        }),
        key_handling: text.keys.as_deref().map(|w| of_word("keys", w)).transpose()?,
        notes: text.notes.clone(),
        extra: Map::new(),
    })
}
