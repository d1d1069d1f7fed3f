//! A plan as one pastes it into a review: GitHub, GitLab and Gerrit all render Markdown. It stays
//! below the length that GitHub takes for a comment; only the whole diff, which comes last, is cut
//! for that.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::review::{Expectation, LineTotals, Missing, Names, Review, ShapeUses, Status, status};
use crate::change::Action;
use crate::diff;
use crate::plan::{ChartPlan, Totals};
use crate::rules::RULES;
use crate::text::{amount, shown};

/// In characters. GitHub takes 65,536 for a comment.
const MAX_LENGTH: usize = 60_000;

/// Room for the words around the diff's end.
const RESERVE: usize = 600;

/// How many charts that need nothing are named; more are counted.
const MAX_LISTED: usize = 12;

pub(crate) fn write(out: &mut dyn Write, review: &Review<'_>) -> io::Result<()> {
    let mut text = head(review);
    let names = review.names();
    for (index, group) in review.shapes.iter().enumerate() {
        text.push_str(&shape(index + 1, group, &names));
    }
    text.push_str(&expectations(review, &names));
    text.push_str(&exceptions(review, &names));
    let room = MAX_LENGTH.saturating_sub(RESERVE + text.chars().count());
    text.push_str(&whole_diff(review, room));
    out.write_all(text.as_bytes())
}

fn head(review: &Review<'_>) -> String {
    let Totals { changed, complete, incomplete, refused, left_alone, files } = review.totals;
    let LineTotals { added, removed } = review.lines;
    format!(
        "# Registry authentication: {} to change\n\n{}, {added} lines added, {removed} removed. \
         {complete} complete, {incomplete} incomplete, {refused} refused, {left_alone} left alone.\n",
        amount(changed, "chart"),
        amount(files, "file"),
    )
}

fn shape(number: usize, group: &ShapeUses<'_>, names: &Names) -> String {
    let mut text = String::new();
    if number == 1 {
        text.push_str("\n## What is to be reviewed: each edit once, in full\n");
    }
    let shape = group.shape;
    let what = match shape.action {
        Action::Insert => "lines in",
        Action::ChangeLine => "a line changed in",
        Action::Create => "a new file,",
        Action::Replace => "a file replaced,",
    };
    let charts = group.charts();
    let count = if charts.is_empty() { "the checkout".to_owned() } else { amount(charts.len(), "chart") };
    let _ = writeln!(text, "\n### {number}. {}: {what} {} ({count})", shape.rule, code(&shape.target));
    let mut example = String::new();
    for hunk in group.hunks() {
        let _ = writeln!(example, "{}", hunk.header);
        for line in hunk.lines {
            let _ = write!(example, "{line}");
        }
    }
    text.push_str(&fenced(&example));
    let _ = write!(text, "Shown for {}", code(&shown(&group.example.path)));
    for (name, value) in group.placeholders() {
        let _ = match value {
            Some(value) if value == name => write!(text, "; `{name}` is the chart's name"),
            Some(value) => write!(text, "; `{name}` is {}", code(&value)),
            None => write!(text, "; `{name}` differs, see the diff"),
        };
    }
    text.push('.');
    if !charts.is_empty() {
        let _ = write!(text, " The charts: {}", list(&charts, names));
    }
    text.push('\n');
    text
}

/// The names of charts.
fn list(charts: &[&ChartPlan], names: &Names) -> String {
    charts.iter().map(|chart| escaped(&names.of(chart))).collect::<Vec<_>>().join(", ")
}

fn expectations(review: &Review<'_>, names: &Names) -> String {
    // What is the same for several rules is said once.
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for expectation in &review.expectations {
        let Expectation { rule, get, missing } = expectation;
        let others = expectation.count_missing();
        if get + others == 0 {
            continue;
        }
        let mut end = String::new();
        for (why, charts) in missing {
            let is_one = charts.len() == 1;
            if *why == Missing::HasIt && charts.len() > MAX_LISTED {
                let _ = write!(end, "; {} have it already", charts.len());
                continue;
            }
            let verb = if is_one { "does not, because it" } else { "do not, because they" };
            let _ = write!(end, "; {} {verb} {}", list(charts, names), why.because(is_one));
        }
        let start = format!("{get} of {}", amount(get + others, "chart"));
        let sentence = format!("{start} get the \0{end}");
        match said.iter_mut().find(|(other, _)| *other == sentence) {
            Some((_, rules)) => rules.push(rule),
            None => said.push((sentence, vec![rule])),
        }
    }
    let mut text = String::from("\n## What is expected, and missing\n");
    for (sentence, rules) in said {
        let _ = writeln!(text, "- {}", sentence.replace('\0', &rules.join(", the ")));
    }
    for rule in RULES.iter().filter(|rule| !rule.is_required) {
        let has_it = |chart: &&ChartPlan| status(chart, rule) == Status::ToDo;
        let charts: Vec<&ChartPlan> = review.plan.charts.iter().filter(has_it).collect();
        if !charts.is_empty() {
            let _ = writeln!(text, "- {}, where a chart needs it: {}", rule.name, list(&charts, names));
        }
    }
    text
}

fn exceptions(review: &Review<'_>, names: &Names) -> String {
    let mut text = String::from("\n## Exceptions\n");
    let start = text.len();
    for refusal in review.plan.refusals() {
        let _ = writeln!(text, "- **refused** ({}) {}", refusal.id, escaped(&refusal.to_string()));
    }
    for finding in review.plan.remaining() {
        let _ = writeln!(text, "- **look at** ({}) {}", finding.id, escaped(&finding.to_string()));
    }
    for (reason, charts) in review.plan.left_alone() {
        let _ = writeln!(text, "- left alone ({reason}): {}", list(&charts, names));
    }
    if text.len() == start {
        text.push_str("None.\n");
    }
    text
}

/// The whole diff, folded, as far as there is room for it.
fn whole_diff(review: &Review<'_>, room: usize) -> String {
    let files = review.plan.files();
    let mut body = String::new();
    let mut shown_files = 0;
    let mut length = 0;
    for file in &files {
        let one = diff::text(review.plan, file);
        length += one.chars().count();
        if length > room {
            break;
        }
        body.push_str(&one);
        shown_files += 1;
    }
    if files.is_empty() {
        return String::new();
    }
    let left = files.len() - shown_files;
    let what = match (shown_files, left) {
        (_, 0) => "The whole diff".to_owned(),
        (0, _) => "The whole diff has no room here".to_owned(),
        _ => format!("The whole diff: {shown_files} of {}", amount(files.len(), "file")),
    };
    let mut text = format!("\n<details>\n<summary>{what}</summary>\n\n");
    if shown_files > 0 {
        text.push_str(&fenced(&body));
    }
    if left > 0 {
        let first = files.get(shown_files).map_or(Path::new(""), |file| file.path.as_path());
        let _ = writeln!(
            text,
            "\n{} more, from {} on: a comment has no room for them, `osh-registry-auth plan` prints them all.",
            amount(left, "file"),
            code(&shown(first))
        );
    }
    text.push_str("\n</details>\n");
    text
}

/// A diff in a fence that nothing in it can end.
fn fenced(diff: &str) -> String {
    let fence = "`".repeat(3.max(longest_run(diff, '`') + 1));
    format!("{fence}diff\n{diff}{fence}\n")
}

/// Text as code, whatever is in it.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text, '`') + 1);
    if ticks.len() == 1 { format!("`{text}`") } else { format!("{ticks} {text} {ticks}") }
}

fn longest_run(text: &str, character: char) -> usize {
    text.split(|other| other != character).map(str::len).max().unwrap_or(0)
}

/// Text that is to be no markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '*' | '_' | '[' | ']' | '\\' | '~' | '|' | '@' | '`' | '#' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}
