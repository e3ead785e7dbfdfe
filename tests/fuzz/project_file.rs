//! Project files from anywhere: whatever is in them, reading one ends with an answer, and what is accepted can be walked
//! over, shown and exported again.
//!
//! Files are made of a good one by changes in any place. A failing seed is printed.

use crate::harness::number_of;
use godwit_shared::consent::code_of;
use godwit_shared::forest::{DEPTH_MAX, check_forest};
use godwit_shared::ids::MappingId;
use godwit_shared::relmig::ProjectFile;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

fn good() -> Value {
    let rule = |kind: &str, table: &str| {
        json!({"settings": {"type": kind, "ruleFilter": {"expression": "columns.a > 1"}}, "fields": {},
            "calculatedFields": {"x": {"name": "x", "expression": "1"}}, "collectionId": "c", "table": table})
    };
    let key = json!({"name": "fk", "schema": "public", "table": "a", "column": "id", "cardinality": "ZERO_TO_MANY"});
    json!({
        "version": "1.2.0",
        "project": {"id": "p", "name": "Shop", "type": "POSTGRESQL", "schemasId": "s",
            "connectionDetails": {"jdbc": {"url": "jdbc:postgresql://u:secret@h:1/db", "password": "secret"}},
            "content": {"collections": {"c": {"name": "as"}, "d": {"name": "bs"}},
                "mappings": {"r": rule("NEW_DOCUMENT", "db.public.a"), "m": rule("EMBEDDED_DOCUMENT_ARRAY", "db.public.b"),
                    "n": rule("EMBEDDED_DOCUMENT", "db.public.a"), "o": rule("EMBEDDED_DOCUMENT", "db.public.b")},
                "relationships": {"tables": {}, "collections": {}, "mappings":
                    {"r": {"children": ["m", "o"]}, "m": {"children": ["n"]}, "n": {"children": []}}},
                "tables": {"t": {"path": {"database": "db", "schema": "public", "table": "a"}, "filter": {"whereClause": "id > 1"}}},
                "diagrams": {"tabs": [{"relational": {"nodes": [{"id": "db.public.a"}], "edges": []}}]}}},
        "schema": {"id": "s", "imported": {}, "full": {"databases": {"db": {"schemas": {"public": {"tables": {
            "a": {"type": "TABLE", "columns": {"id": {"type": {"databaseSpecificType": "int4"}}}},
            "b": {"type": "TABLE", "columns": {"a_id": {"type": {"databaseSpecificType": "int4"}, "foreignKey": key}}}}}}}}}}
    })
}

/// Changes one place of a file.
fn change(value: &mut Value, random: &mut Random) {
    let names = [
        "r",
        "m",
        "n",
        "o",
        "t",
        "c",
        "gone",
        "",
        "children",
        "\u{0}",
        "db.public.a",
    ];
    let made = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("r"),
        json!("NEW_DOCUMENT"),
        json!([]),
        json!({}),
        json!(["m", "m"]),
        json!({"children": ["r"]}),
        json!({"children": ["m", "n", "o"]}),
        json!({"whereClause": ["x"]}),
        json!("x".repeat(3_000)),
    ];
    match value {
        Value::Object(members) if !members.is_empty() && random.below(6) > 0 => {
            let place = random.below(members.len());
            let key = members.keys().nth(place).expect("a member").clone();
            match random.below(12) {
                0 => _ = members.remove(&key),
                1 => {
                    let copy = members[&key].clone();
                    members.insert(names[random.below(names.len())].into(), copy);
                }
                _ => change(&mut members[&key], random),
            }
        }
        Value::Array(items) if !items.is_empty() && random.below(6) > 0 => {
            let place = random.below(items.len());
            match random.below(4) {
                0 => items.push(items[place].clone()),
                1 => items.push(json!(names[random.below(names.len())])),
                _ => change(&mut items[place], random),
            }
        }
        other => *other = made[random.below(made.len())].clone(),
    }
}

fn read(text: &str) -> Option<ProjectFile> {
    let file = ProjectFile::from_json(text).ok()?;
    let content = &file.project.content;
    assert_eq!(check_forest(content), Ok(()));
    let mut steps = 0;
    let roots: Vec<&MappingId> = content
        .collections
        .keys()
        .flat_map(|c| content.roots_of(c))
        .map(|(id, _)| id)
        .collect();
    let mut open: Vec<(&MappingId, usize)> = roots.into_iter().map(|id| (id, 1)).collect();
    while let Some((id, depth)) = open.pop() {
        steps += 1;
        assert!(depth <= DEPTH_MAX && steps <= content.mappings.len() * DEPTH_MAX);
        open.extend(content.children_of(id).map(|child| (child, depth + 1)));
    }
    assert!(code_of(&file).iter().all(|code| !code.text.trim().is_empty()));
    let exported = file.to_exported_value();
    assert!(
        !exported["project"]["connectionDetails"]
            .to_string()
            .contains("u:secret@")
    );
    let again = ProjectFile::from_value(exported.clone()).expect("an export can be imported");
    assert_eq!(again.to_exported_value(), exported);
    Some(file)
}

#[test]
fn project_file() {
    assert!(read(&good().to_string()).is_some());
    let until = Instant::now() + Duration::from_secs_f64(number_of("GODWIT_FUZZ_SECONDS").unwrap_or(1.0));
    let first = number_of("GODWIT_FUZZ_SEED").map_or_else(|| std::process::id().into(), |n| n as u64);
    let (mut made, mut accepted) = (0u64, 0u64);
    for seed in first.wrapping_mul(1_000_000).. {
        if Instant::now() > until && made > 500 {
            break;
        }
        let mut random = Random(seed);
        let mut file = good();
        for _ in 0..=random.below(4) {
            change(&mut file, &mut random);
        }
        let mut text = file.to_string();
        if random.below(8) == 0 {
            let place = random.below(text.len());
            if text.is_char_boundary(place) {
                text.truncate(place);
            }
        }
        made += 1;
        let done = std::panic::catch_unwind(|| read(&text).is_some());
        accepted += u64::from(done.unwrap_or_else(|_| panic!("seed {seed}: {text}")));
    }
    println!(
        "{accepted} of {made} files from seed {} on were accepted",
        first.wrapping_mul(1_000_000)
    );
    assert!(
        accepted * 20 > made,
        "{accepted} of {made}: what is accepted was hardly looked at"
    );
}
