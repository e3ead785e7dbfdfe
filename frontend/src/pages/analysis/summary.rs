//! *Summary*: how ready the source is and why, what was found, and how many objects are concerned.

use super::ReportSignal;
use super::state::Analysis;
use crate::format::number;
use crate::routes::AnalysisPart as Part;
use godwit_shared::analysis::{AnalysisReport, Category, Level, LevelCounts, ObjectType, Readiness, ScorePart};
use leptos::prelude::*;

#[component]
pub fn Summary(report: ReportSignal) -> impl IntoView {
    view! {
        <div class="gw-analysis__summary">
            <ReadinessPanel report=report/>
            <Breakdown report=report/>
            <Ring report=report/>
        </div>
        <Cards report=report/>
        <ScorePanel report=report/>
    }
}

#[component]
fn ReadinessPanel(report: ReportSignal) -> impl IntoView {
    let score = Memo::new(move |_| report.get().health_score);
    let readiness = Memo::new(move |_| Readiness::of(score.get()));
    let name = move || match readiness.get() {
        Readiness::Low => "low",
        Readiness::Medium => "medium",
        Readiness::High => "high",
    };
    let label = move || format!("Readiness {}: {} of 100", readiness.get().word(), score.get());
    view! {
        <section class="gw-panel" aria-label="Predicted migration readiness level">
            <header class="gw-panel__head"><h3>"Predicted migration readiness level"</h3></header>
            <div class="gw-panel__body gw-gauge" data-level=name>
                <svg viewBox="0 0 120 66" role="img" aria-label=label>
                    <path class="gw-gauge__track" d="M10 60 A50 50 0 0 1 110 60" pathLength="100"/>
                    <path
                        class="gw-gauge__value"
                        d="M10 60 A50 50 0 0 1 110 60"
                        pathLength="100"
                        stroke-dasharray=move || format!("{} 100", score.get())
                    />
                </svg>
                <p class="gw-gauge__word" data-testid="readiness">{move || readiness.get().word()}</p>
                <p class="gw-muted" data-testid="health-score">{move || format!("{} of 100", score.get())}</p>
            </div>
        </section>
    }
}

/// Open detections of a level.
fn count_of(report: &AnalysisReport, level: Level) -> usize {
    report.open().filter(|d| d.rule_type == level).count()
}

#[component]
fn Breakdown(report: ReportSignal) -> impl IntoView {
    let analysis = Analysis::of_page();
    let line = move |level: Level, label: &'static str, text: &'static str, testid: &'static str| {
        let count = Memo::new(move |_| count_of(&report.get(), level) as u64);
        view! {
            <li class="gw-breakdown__line" data-level=level.word()>
                <span class="gw-breakdown__count" data-testid=testid>{move || number::count(count.get())}</span>
                <span><strong>{label}</strong><br/><span class="gw-muted">{text}</span></span>
            </li>
        }
    };
    let takeaways = move || {
        let report = report.get();
        let of = |category: Category| {
            let count = report.open().filter(|d| d.category == category).count() as u64;
            view! { <li>{format!("{}: {}", category.word(), number::counted(count, "detection", "detections"))}</li> }
        };
        Category::ALL.map(of).collect_view()
    };
    let resolved = Memo::new(move |_| report.get().resolved_rules.len() as u64);
    view! {
        <section class="gw-panel" aria-label="Detection breakdown">
            <header class="gw-panel__head">
                <h3>"Detection breakdown"</h3>
                <a href=move || analysis.project.with(|p| Part::Detections.path(p)) data-testid="view-detections">"View all detections"</a>
            </header>
            <div class="gw-panel__body gw-stack">
                <ul class="gw-breakdown">
                    {line(Level::Task, "Actions required", "Somebody has to do something first", "count-tasks")}
                    {line(Level::Risk, "Potential risks", "May go wrong, or lose something", "count-risks")}
                    {line(Level::Notice, "Informational", "Worth knowing", "count-notices")}
                </ul>
                <h4>"Key takeaways"</h4>
                <ul class="gw-bullets">{takeaways}</ul>
                <Show when=move || { resolved.get() > 0 }>
                    <p class="gw-muted" data-testid="count-resolved">{move || number::counted(resolved.get(), "detection is resolved", "detections are resolved")}</p>
                </Show>
            </div>
        </section>
    }
}

/// Parts of a ring lie a little over the next one: nothing shows between them.
const OVERLAP: f64 = 0.4;

/// Where the parts of a ring begin and end, in percent of it.
fn arcs(counts: LevelCounts) -> Vec<(&'static str, f64, f64)> {
    let all = counts.all().max(1) as f64;
    let parts = [
        ("task", counts.task),
        ("risk", counts.risk),
        ("notice", counts.notice),
        ("none", counts.none),
    ];
    let mut begin = 0.0;
    let mut arcs = Vec::new();
    for (name, count) in parts {
        let share = count as f64 * 100.0 / all;
        if count > 0 {
            arcs.push((name, begin, share));
        }
        begin += share;
    }
    arcs
}

#[component]
fn Ring(report: ReportSignal) -> impl IntoView {
    let counts = Memo::new(move |_| report.get().unique_dbo_alerts);
    let drawn = move || {
        let arc = |(name, begin, share): (&'static str, f64, f64)| {
            view! {
                <circle
                    class="gw-ring__part"
                    data-level=name
                    cx="60"
                    cy="60"
                    r="48"
                    pathLength="100"
                    stroke-dasharray=format!("0 {begin} {} 100", share + OVERLAP)
                />
            }
        };
        arcs(counts.get()).into_iter().map(arc).collect_view()
    };
    let label = move || {
        let counts = counts.get();
        format!("{} of {} objects have detections", counts.hit(), counts.all())
    };
    let legend = move || {
        let counts = counts.get();
        let line = |(name, words, count): (&'static str, &'static str, u64)| {
            view! { <li class="gw-ring__line" data-level=name><span class="gw-ring__dot" aria-hidden="true"></span>{format!("{words}: {}", number::count(count))}</li> }
        };
        [
            ("task", "With a task", counts.task),
            ("risk", "With a risk", counts.risk),
            ("notice", "With notes alone", counts.notice),
            ("none", "Without detections", counts.none),
        ]
        .map(line)
        .collect_view()
    };
    view! {
        <section class="gw-panel" aria-label="Database objects with and without detections">
            <header class="gw-panel__head"><h3>"Database objects"</h3></header>
            <div class="gw-panel__body gw-ring">
                <svg viewBox="0 0 120 120" role="img" aria-label=label>
                    <g transform="rotate(-90 60 60)">{drawn}</g>
                    <text class="gw-ring__number" x="60" y="60" text-anchor="middle" dominant-baseline="central">{move || number::count(counts.get().all())}</text>
                </svg>
                <ul class="gw-ring__legend">{legend}</ul>
            </div>
        </section>
    }
}

/// A card's figures: how many objects, how many of them with detections, and detections by category.
#[derive(Debug, Clone, PartialEq)]
struct Card {
    title: &'static str,
    count: u64,
    size: Option<u64>,
    hit: u64,
    categories: Vec<(&'static str, u64)>,
}

fn card(report: &AnalysisReport, title: &'static str, kind: ObjectType) -> Card {
    let metrics = &report.db_metrics;
    let count = match kind {
        ObjectType::Table => metrics.all_tables.len(),
        ObjectType::View => metrics.all_views.len(),
        ObjectType::Routine => metrics.all_stored_procedures.len(),
        ObjectType::Trigger => metrics.all_triggers.len(),
        ObjectType::Index | ObjectType::Database | ObjectType::Column => 0,
    };
    let of: Vec<_> = report.open().filter(|d| d.dbo_type == kind).collect();
    let names: std::collections::HashSet<&str> = of.iter().map(|d| d.entity_name.as_str()).collect();
    let categories = Category::ALL.map(|c| (c.word(), of.iter().filter(|d| d.category == c).count() as u64));
    Card {
        title,
        count: count as u64,
        size: (kind == ObjectType::Table).then_some(metrics.total_db_size),
        hit: names.len() as u64,
        categories: categories.into_iter().filter(|(_, n)| *n > 0).collect(),
    }
}

#[component]
fn Cards(report: ReportSignal) -> impl IntoView {
    let analysis = Analysis::of_page();
    let all = [
        ("Tables", ObjectType::Table, Part::Tables),
        ("Stored procedures and functions", ObjectType::Routine, Part::Routines),
        ("Triggers", ObjectType::Trigger, Part::Triggers),
        ("Views", ObjectType::View, Part::Views),
    ];
    let one = move |(title, kind, part): (&'static str, ObjectType, Part)| {
        let card = Memo::new(move |_| card(&report.get(), title, kind));
        view! { <CardView card=card href=Signal::derive(move || analysis.project.with(|p| part.path(p)))/> }
    };
    view! {
        <section aria-label="Database object overview">
            <h3 class="gw-visually-hidden">"Database object overview"</h3>
            <div class="gw-analysis__cards">{all.map(one).collect_view()}</div>
        </section>
    }
}

#[component]
fn CardView(card: Memo<Card>, href: Signal<String>) -> impl IntoView {
    let title = card.with_untracked(|c| c.title);
    let about = move || {
        let card = card.get();
        let share = (card.hit * 100).checked_div(card.count).unwrap_or(0);
        let size = card
            .size
            .map(|size| format!(", {}", number::bytes(size as f64)))
            .unwrap_or_default();
        format!(
            "{} with detections ({share} %){size}",
            number::count(card.hit.min(card.count))
        )
    };
    let bars = move || {
        let card = card.get();
        let most = card.categories.iter().map(|(_, n)| *n).max().unwrap_or(1);
        let bar = |(word, count): (&'static str, u64)| {
            let share = count * 100 / most;
            view! {
                <li class="gw-bars__line">
                    <span>{word}</span>
                    <span class="gw-bars__bar" aria-hidden="true"><span style:width=format!("{share}%")></span></span>
                    <span class="gw-number">{number::count(count)}</span>
                </li>
            }
        };
        card.categories.into_iter().map(bar).collect_view()
    };
    view! {
        <article class="gw-panel" aria-label=title>
            <div class="gw-panel__body gw-stack">
                <h4><a href=href>{title}</a></h4>
                <p class="gw-analysis__count">{move || number::count(card.get().count)}</p>
                <p class="gw-muted">{about}</p>
                <ul class="gw-bars">{bars}</ul>
            </div>
        </article>
    }
}

#[component]
fn ScorePanel(report: ReportSignal) -> impl IntoView {
    let parts = Memo::new(move |_| report.get().score.clone());
    let line = move |part: ScorePart| {
        let objects = parts.with_untracked(|p| p.objects);
        view! {
            <li>
                {format!(
                    "{} ({}): {} × {} of {} objects = −{:.1}",
                    part.rule_name,
                    part.level.word().to_lowercase(),
                    part.level.weight(),
                    part.objects,
                    objects,
                    part.points
                )}
            </li>
        }
    };
    view! {
        <section class="gw-panel" aria-label="How the score comes about">
            <div class="gw-panel__body gw-stack">
                <p data-testid="score-formula">
                    "Score = 100 − Σ over rules (weight × objects hit ÷ objects), at least 0. Weights: task 40, risk 20, note 5. \
                     High from 70 on, medium from 40 on. Resolved detections do not count."
                </p>
                <details class="gw-more">
                    <summary>"What each rule takes away"</summary>
                    <ul class="gw-bullets">{move || parts.get().rules.into_iter().map(line).collect_view()}</ul>
                </details>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_ring_follow_each_other() {
        let counts = LevelCounts {
            task: 1,
            risk: 0,
            notice: 1,
            none: 2,
        };
        assert_eq!(
            arcs(counts),
            [("task", 0.0, 25.0), ("notice", 25.0, 25.0), ("none", 50.0, 50.0)]
        );
        assert!(arcs(LevelCounts::default()).is_empty());
    }
}
