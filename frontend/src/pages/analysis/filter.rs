//! Which detections are shown.

use godwit_shared::analysis::{AnalysisReport, Category, Detection, Level};

/// What a user has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Absent: all.
    pub level: Option<Level>,
    pub category: Option<Category>,
    pub with_resolved: bool,
    pub text: String,
}

impl Filter {
    /// Whether a detection is shown.
    pub fn takes(&self, report: &AnalysisReport, detection: &Detection) -> bool {
        let text = self.text.trim().to_lowercase();
        let holds = |of: &str| of.to_lowercase().contains(&text);
        self.level.is_none_or(|level| detection.rule_type == level)
            && self.category.is_none_or(|category| detection.category == category)
            && (self.with_resolved || !report.is_resolved(&detection.id))
            && (text.is_empty()
                || holds(&detection.entity_name)
                || holds(&detection.rule_name)
                || holds(&detection.detection_text)
                || detection.members.iter().any(|member| holds(member)))
    }
}

/// The detections that are shown, by rule: the most urgent rules first.
pub fn groups(report: &AnalysisReport, filter: &Filter) -> Vec<Vec<Detection>> {
    let mut groups: Vec<Vec<Detection>> = Vec::new();
    for detection in report.rules.iter().filter(|d| filter.takes(report, d)) {
        let is_same = |group: &&mut Vec<Detection>| {
            let first = &group[0];
            first.rule == detection.rule && first.rule_type == detection.rule_type
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(detection.clone()),
            None => groups.push(vec![detection.clone()]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> AnalysisReport {
        let rule = |id: &str, rule: &str, level: &str, category: &str, object: &str| {
            json!({"id": id, "rule": rule, "ruleName": rule, "dboType": "TABLE", "ruleType": level, "entityName": object,
                "detectionText": "", "difficulty": "LOW", "mitigationText": "", "category": category, "members": ["Col"], "objects": 1})
        };
        serde_json::from_value(json!({
            "id": "r", "projectId": "p", "generatedAt": "2026-11-03T10:00:00Z", "mode": "SNAPSHOT", "preflightChecks": [],
            "rules": [
                rule("a:1", "a", "TASK", "SCHEMA", "public.one"), rule("b:1", "b", "RISK", "DATA_TYPE", "public.one"),
                rule("a:2", "a", "TASK", "SCHEMA", "public.two"), rule("a:3", "a", "NOTICE", "SCHEMA", "public.three"),
            ],
            "dbMetrics": {"totalDbSize": 0, "readHeavyTables": [], "writeHeavyTables": [], "allTables": [],
                "allStoredProcedures": [], "allTriggers": [], "allViews": []},
            "databaseMetadata": {"databaseVersion": "", "connectionId": "", "connectionName": "", "connectionUrl": "", "databaseType": ""},
            "healthScore": 1.0, "resolvedRules": ["a:2"], "takeaways": [],
            "uniqueDboAlerts": {"task": 0, "risk": 0, "notice": 0, "none": 0}, "detectionCountsByDboType": {}, "errors": [],
        }))
        .expect("a report")
    }

    fn shown(filter: Filter) -> Vec<Vec<String>> {
        let groups = groups(&report(), &filter);
        groups
            .into_iter()
            .map(|group| group.into_iter().map(|d| d.id).collect())
            .collect()
    }

    #[test]
    fn rules_of_one_level_are_one_group_and_what_is_resolved_is_left_out() {
        assert_eq!(shown(Filter::default()), [vec!["a:1"], vec!["b:1"], vec!["a:3"]]);
        let with_resolved = Filter {
            with_resolved: true,
            ..Filter::default()
        };
        assert_eq!(shown(with_resolved), [vec!["a:1", "a:2"], vec!["b:1"], vec!["a:3"]]);
    }

    #[test]
    fn level_category_and_text_narrow_what_is_shown() {
        let level = Filter {
            level: Some(Level::Notice),
            ..Filter::default()
        };
        assert_eq!(shown(level), [vec!["a:3"]]);
        let category = Filter {
            category: Some(Category::DataType),
            ..Filter::default()
        };
        assert_eq!(shown(category), [vec!["b:1"]]);
        let text = |text: &str| {
            shown(Filter {
                text: text.into(),
                ..Filter::default()
            })
        };
        assert_eq!(text(" THREE "), [vec!["a:3"]]);
        assert_eq!(text("col").len(), 3);
        assert!(text("nothing of it").is_empty());
    }
}
