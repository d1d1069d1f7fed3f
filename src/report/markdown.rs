//! A plan as one pastes it into a review: GitHub, GitLab and Gerrit all render Markdown. It stays
//! below the length that GitHub takes for a comment: what has no room is counted, and what matters most
//! comes first.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::review::{Example, Expectation, Names, Review, ShapeUses, Status, call_to, status};
use crate::change::Operation;
use crate::chart_plan::ChartPlan;
use crate::diff;
use crate::plan::Totals;
use crate::rules::RULES;
use crate::text::{amount, shown, visible};

/// In characters. GitHub takes 65,536 for a comment.
const MAX_LENGTH: usize = 60_000;

/// Room for what is said at the end.
const RESERVE: usize = 600;

/// How many charts that need nothing are named; more are counted.
const MAX_LISTED: usize = 12;

pub(crate) fn write(out: &mut dyn Write, review: &Review<'_>) -> io::Result<()> {
    let names = review.names();
    let mut comment = Comment { text: visible(&head(review)).into_owned(), length: 0, left: 0 };
    comment.length = comment.text.chars().count();
    exceptions(&mut comment, review, &names);
    for (index, group) in review.shapes.iter().enumerate() {
        shape(&mut comment, index + 1, group, &names);
    }
    expectations(&mut comment, review, &names);
    other_files(&mut comment, review);
    if comment.left > 0 {
        let left = amount(comment.left, "part");
        let _ = writeln!(
            comment.text,
            "\n{left} of this had no room in a comment: `plan -o plan.html` shows all."
        );
    }
    out.write_all(comment.text.as_bytes())
}

/// What is written so far.
struct Comment {
    text: String,
    length: usize,
    /// How many parts had no room.
    left: usize,
}

impl Comment {
    fn has_room_for(&self, part: &str) -> bool {
        self.length + part.chars().count() <= MAX_LENGTH - RESERVE
    }

    fn push(&mut self, part: &str) {
        let part = &*visible(part);
        if self.has_room_for(part) {
            self.text.push_str(part);
            self.length += part.chars().count();
        } else {
            self.left += 1;
        }
    }
}

fn head(review: &Review<'_>) -> String {
    let Totals { changed, complete, incomplete, refused, left_alone, files } = review.totals;
    let (by_hand, warnings) = review.left();
    format!(
        "# Registry authentication: {} to change\n\n{}, {} lines added, {} removed. \
         {complete} complete, {incomplete} incomplete, {refused} refused, {left_alone} left alone. \
         **{by_hand} to do by hand, {}.**\n",
        amount(changed, "chart"),
        amount(files, "file"),
        review.added,
        review.removed,
        amount(warnings, "warning"),
    )
}

fn shape(comment: &mut Comment, number: usize, group: &ShapeUses<'_>, names: &Names) {
    let mut text = String::new();
    if number == 1 {
        text.push_str("\n## What is to be reviewed: each edit once, in full\n");
    }
    let shape = group.shape;
    let what = match shape.operation {
        Operation::Insert => "lines in",
        Operation::ChangeLine => "a line changed in",
        Operation::Create => "a new file,",
        Operation::Replace => "a file replaced,",
    };
    let charts = group.charts();
    let count = if charts.is_empty() { "the checkout".to_owned() } else { amount(charts.len(), "chart") };
    let _ = writeln!(text, "\n### {number}. {}: {what} {} ({count})", shape.rule, code(&shape.target));
    let mut of_others = group.examples.iter();
    if let Some(first) = of_others.next() {
        text.push_str(&example(first));
    }
    for (name, value) in group.placeholders() {
        let _ = match value {
            Some(value) if value == name => write!(text, "; `{name}` is the chart's name"),
            Some(value) => write!(text, "; `{name}` is {}", code(value)),
            None => write!(text, "; `{name}` differs, see the diff"),
        };
    }
    text.push('.');
    if !charts.is_empty() {
        let _ = write!(text, " The charts: {}", list(&charts, names));
    }
    text.push('\n');
    comment.push(&text);
    for other in of_others {
        comment.push(&format!("{}.\n", example(other)));
    }
}

/// The diff of an edit, and the file that it is shown for.
fn example(example: &Example<'_>) -> String {
    let mut diff = String::new();
    for hunk in example.hunks() {
        let _ = writeln!(diff, "{}", hunk.header);
        diff.extend(hunk.lines.iter().map(ToString::to_string));
    }
    format!("{}Shown for {}", fenced(&diff), code(&shown(&example.used.file.path)))
}

/// The names of charts.
fn list(charts: &[&ChartPlan], names: &Names) -> String {
    charts.iter().map(|chart| escaped(&names.of(chart))).collect::<Vec<_>>().join(", ")
}

fn expectations(comment: &mut Comment, review: &Review<'_>, names: &Names) {
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
            if *why == Status::Done && charts.len() > MAX_LISTED {
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
    comment.push("\n## What is expected, and missing\n");
    for (sentence, rules) in said {
        comment.push(&format!("- {}\n", sentence.replace('\0', &rules.join(", the "))));
    }
    for rule in RULES.iter().filter(|rule| !rule.is_required) {
        let has_it = |chart: &&ChartPlan| status(chart, rule) == Status::ToDo;
        let charts: Vec<&ChartPlan> = review.plan.charts.iter().filter(has_it).collect();
        if !charts.is_empty() {
            let charts = list(&charts, names);
            comment.push(&format!("- {}, where a chart needs it: {charts}\n", rule.name));
        }
    }
}

fn exceptions(comment: &mut Comment, review: &Review<'_>, names: &Names) {
    comment.push("\n## Exceptions\n");
    let start = comment.length;
    for finding in review.plan.refusals().chain(review.plan.remaining()) {
        let (call, text) = (call_to(finding.severity), escaped(&finding.to_string()));
        comment.push(&format!("- **{call}** ({}) {text}\n", finding.id));
    }
    for (reason, charts) in review.plan.left_alone() {
        comment.push(&format!("- left alone ({reason}): {}\n", list(&charts, names)));
    }
    if comment.length == start {
        comment.push("None.\n");
    }
}

/// The diffs of files that are not shown above, folded.
fn other_files(comment: &mut Comment, review: &Review<'_>) {
    let files = review.plan.files().into_iter().filter(|file| !review.shows(file));
    let diffs: Vec<String> = files.map(|file| visible(&diff::text(review.plan, file)).into_owned()).collect();
    if diffs.is_empty() {
        return;
    }
    let mut length = comment.length;
    let fits = |diff: &&String| {
        length += diff.chars().count();
        length <= MAX_LENGTH - RESERVE
    };
    let fitting = diffs.iter().take_while(fits).count();
    let body = diffs.get(..fitting).unwrap_or_default().concat();
    let body = if body.is_empty() { body } else { fenced(&body) };
    let files = amount(diffs.len(), "file");
    let what = if fitting == diffs.len() { files } else { format!("{fitting} of {files}") };
    let _ = write!(
        comment.text,
        "\n<details>\n<summary>{what} not shown above</summary>\n\n{body}\n</details>\n"
    );
    comment.left += diffs.len() - fitting;
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
