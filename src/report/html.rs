//! A plan as a page for the browser: one file that loads nothing. What comes from charts goes through
//! maud, which escapes it; `page/` holds the style and the script, which know nothing of charts but
//! their numbers.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::review::{Example, Names, Review, ShapeUses, Status, call_to, status};
use crate::change::Operation;
use crate::chart_plan::ChartPlan;
use crate::diff::{self, Hunk, Sign};
use crate::plan::Totals;
use crate::rules::{RULES, Rule};
use crate::text::{amount, shown, visible};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Forbids whatever the page does not need: it loads nothing and sends nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(crate) fn write(out: &mut dyn Write, review: &Review<'_>) -> io::Result<()> {
    let page = Page { review, names: review.names(), numbers: numbers(review) };
    out.write_all(visible(&page.whole().into_string()).as_bytes())
}

/// The number of each chart in the plan, by which the script knows it.
fn numbers<'p>(review: &Review<'p>) -> BTreeMap<&'p Path, usize> {
    review.plan.charts.iter().enumerate().map(|(number, chart)| (chart.path.as_path(), number)).collect()
}

struct Page<'r, 'p> {
    review: &'r Review<'p>,
    names: Names,
    numbers: BTreeMap<&'p Path, usize>,
}

impl Page<'_, '_> {
    fn number(&self, chart: &ChartPlan) -> Option<usize> {
        self.numbers.get(chart.path.as_path()).copied()
    }

    /// The numbers of `charts`, for the script.
    fn numbers(&self, charts: &[&ChartPlan]) -> String {
        let numbers = charts.iter().filter_map(|chart| self.number(chart));
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
    }

    fn whole(&self) -> Markup {
        let title =
            format!("Registry authentication: {} to change", amount(self.review.totals.changed, "chart"));
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content={ (env!("CARGO_PKG_NAME")) " " (env!("CARGO_PKG_VERSION")) };
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#shapes" { "Skip to the edits" }
                    header {
                        h1 { (title) }
                        (totals(self.review))
                        (toolbar(self.review))
                    }
                    main {
                        (self.exceptions())
                        (self.shapes())
                        (self.files())
                        (self.overview())
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
    }

    fn overview(&self) -> Markup {
        let charts = &self.review.plan.charts;
        html! {
            section #overview aria-labelledby="overview-title" {
                h2 #overview-title { "Charts by rules" }
                table.rules {
                    caption { "What becomes of the charts, rule by rule" }
                    thead { tr { th scope="col" { "no." } th scope="col" { "rule" } @for status in STATUSES { th scope="col" { (cell(status, None)) span.word { " " (status.word()) } } } } }
                    tbody {
                        @for (index, rule) in RULES.iter().enumerate() {
                            (rule_row(index + 1, rule, charts))
                        }
                    }
                }
                p.hint { "Each chart with a mark for each of its rules, in the order of the list above; helm-toolkit has rules of its own. Choose a chart to see its own diff." }
                ul.charts {
                    @for chart in charts {
                        li {
                            button.chart type="button" data-chart=[self.number(chart)] data-name=(self.names.of(chart)) aria-pressed="false" {
                                span.name { (self.names.of(chart)) }
                                span.cells {
                                    @for rule in RULES.iter().filter(|rule| rule.role == chart.role) {
                                        (cell(status(chart, rule), Some(rule)))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn shapes(&self) -> Markup {
        html! {
            section #shapes aria-labelledby="shapes-title" {
                h2 #shapes-title { "Each edit once" }
                @if self.review.shapes.is_empty() { p { "Nothing is to be changed." } }
                @for (index, group) in self.review.shapes.iter().enumerate() {
                    (self.shape(index + 1, group))
                }
            }
        }
    }

    fn shape(&self, number: usize, group: &ShapeUses<'_>) -> Markup {
        let shape = group.shape;
        let action = match shape.operation {
            Operation::Insert => "lines put into",
            Operation::ChangeLine => "a line changed in",
            Operation::Create => "new file",
            Operation::Replace => "file replaced:",
        };
        let charts = group.charts();
        html! {
            article.shape tabindex="-1" id={ "shape-" (shape.id()) } data-shape=(shape.id()) data-charts=(self.numbers(&charts)) {
                div.head {
                    h3 { (number) ". " (shape.rule) ": " (action) " " code { (shape.target) } }
                    span.uses { @if charts.is_empty() { "the checkout" } @else { (amount(charts.len(), "chart")) } }
                    label.reviewed { input type="checkbox"; " reviewed" }
                }
                div.body {
                    @for example in &group.examples { (self.example(example, group.examples.len() > 1)) }
                    @if !group.placeholders().is_empty() {
                        dl.parameters {
                            @for (name, value) in group.placeholders() {
                                dt { code { (name) } }
                                dd {
                                    @match value {
                                        Some(value) if value == name => { "the chart's name" }
                                        Some(value) => { code { (value) } }
                                        None => { "differs from chart to chart" }
                                    }
                                }
                            }
                        }
                        details.pattern { summary { "With its parameters" } pre tabindex="0" { (shape.text) } }
                    }
                    ul.chips aria-label="Charts that get it" {
                        @for chart in &charts { li { (self.chip(chart)) } }
                    }
                }
            }
        }
    }

    /// An edit in one file; one of several is only there where its chart is.
    fn example(&self, example: &Example<'_>, is_one_of_several: bool) -> Markup {
        let chart = example.used.chart.filter(|_| is_one_of_several).and_then(|chart| self.number(chart));
        html! {
            div data-charts=[chart] {
                p.file { "Shown for " code { (shown(&example.used.file.path)) } }
                (diff_of(&example.hunks()))
            }
        }
    }

    /// A chart's name, which chooses that chart.
    fn chip(&self, chart: &ChartPlan) -> Markup {
        html! { button.chip type="button" data-chart=[self.number(chart)] { (self.names.of(chart)) } }
    }

    fn exceptions(&self) -> Markup {
        let plan = self.review.plan;
        let nothing = plan.refusals().next().is_none() && plan.remaining().next().is_none();
        let of_charts = plan.charts.iter().map(|chart| (self.numbers(&[chart]), &chart.findings));
        let all = of_charts.chain([(String::new(), &plan.checkout.findings)]);
        html! {
            section #exceptions aria-labelledby="exceptions-title" {
                h2 #exceptions-title { "Exceptions" }
                @if nothing { p { "None." } }
                ul.issues {
                    @for (number, findings) in all {
                        @for finding in findings.iter().filter(|finding| !finding.is_planned) {
                            li class=(finding.severity.level()) data-charts=(number) {
                                b { (call_to(finding.severity)) } " " code { (finding.location.to_string()) } " "
                                (finding.what) "; "
                                @let (fix, lines) = finding.fix.split_once('\n').unwrap_or((&finding.fix, ""));
                                (fix) " " span.id { (finding.id.as_str()) }
                                @if !lines.is_empty() { pre { (lines) } }
                            }
                        }
                    }
                }
                @for (reason, charts) in plan.left_alone() {
                    div data-charts=(self.numbers(&charts)) {
                        p { "Left alone, " (reason) ":" }
                        ul.chips { @for chart in charts { li { (self.chip(chart)) } } }
                    }
                }
            }
        }
    }

    fn files(&self) -> Markup {
        let mut files: Vec<_> = self.review.plan.files_of_charts().collect();
        files.sort_by(|one, other| one.1.path.cmp(&other.1.path));
        html! {
            section #files aria-labelledby="files-title" {
                h2 #files-title { "All " (amount(files.len(), "file")) }
                @for (chart, file) in files {
                    details.file data-charts=(self.numbers(chart.as_slice())) {
                        summary { code { (shown(&file.path)) } @if file.old.is_none() { " " span.new { "new" } } }
                        (diff_of(&diff::hunks(file.old_text(), &file.new)))
                    }
                }
            }
        }
    }
}

/// What is counted.
const STATUSES: [Status; 5] = [Status::ToDo, Status::Done, Status::ByHand, Status::Refused, Status::Skipped];

/// What a state is called in the style.
fn class(status: Status) -> String {
    status.word().replace(' ', "-")
}

/// What becomes of a chart by a rule, as a sign: colours alone do not tell everybody. A heading says it in words.
fn cell(status: Status, rule: Option<&Rule>) -> Markup {
    let sign = match status {
        Status::Done => "✓",
        Status::ToDo => "+",
        Status::ByHand => "!",
        Status::Refused => "✕",
        Status::Skipped => "–",
        Status::NotForIt => "",
    };
    let words = rule.map(|rule| format!("{}: {}", rule.name, status.word()));
    let words = words.unwrap_or_else(|| status.word().to_owned());
    html! {
        span class={ "cell " (class(status)) } role="img" aria-label=(words) title=(words) { (sign) }
    }
}

fn rule_row(number: usize, rule: &Rule, charts: &[ChartPlan]) -> Markup {
    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    for chart in charts.iter().filter(|chart| chart.role == rule.role) {
        *counts.entry(status(chart, rule)).or_default() += 1;
    }
    let count = |status: Status| counts.get(&status).copied().unwrap_or_default();
    html! {
        tr {
            td { (number) }
            th scope="row" { (rule.name) }
            @for status in STATUSES { td.count { @if count(status) > 0 { (count(status)) } } }
        }
    }
}

fn totals(review: &Review<'_>) -> Markup {
    let Totals { changed, complete, incomplete, refused, left_alone, files } = review.totals;
    let (by_hand, warnings) = review.left();
    let all = [
        (changed, "to change"),
        (complete, "complete"),
        (incomplete, "incomplete"),
        (refused, "refused"),
        (left_alone, "left alone"),
        (by_hand, "by hand"),
        (warnings, "warnings"),
        (files, "files"),
        (review.added, "lines added"),
        (review.removed, "lines removed"),
    ];
    html! { ul.counts { @for (count, what) in all { li { b { (count) } " " (what) } } } }
}

fn toolbar(review: &Review<'_>) -> Markup {
    html! {
        div.toolbar role="search" {
            label { "Charts " input #filter type="search" autocomplete="off" spellcheck="false" placeholder="part of a name"; }
            output #matches for="filter" {}
            output #progress { (review.shapes.len()) " edits to review" }
            span.keys {
                kbd { "/" } " filter " kbd { "j" } " " kbd { "k" } " next, previous edit " kbd { "r" } " reviewed " kbd { "Esc" } " all charts"
            }
        }
    }
}

fn diff_of(hunks: &[Hunk<'_>]) -> Markup {
    html! {
        pre.diff tabindex="0" {
            @for hunk in hunks {
                span.hunk { (hunk.header) "\n" }
                @for lines in hunk.lines.chunk_by(|one, other| one.sign == other.sign) {
                    @let text: String = lines.iter().map(ToString::to_string).collect();
                    @match lines.first().map(|line| line.sign) {
                        Some(Sign::Added) => { ins { (text) } }
                        Some(Sign::Removed) => { del { (text) } }
                        _ => { span { (text) } }
                    }
                }
            }
        }
    }
}
