//! What came out of `verify`: the report, for people and for programs, the summary, and a progress bar
//! meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use super::json::{self, finding_json, program, write_pretty};
use super::style::{Detail, ERROR, NOTE};
use super::summary::{write_left_alone, write_refusals};
use crate::chart_plan::ChartPlan;
use crate::finding::{Finding, Id};
use crate::plan::Plan;
use crate::text::{amount, printable, shown};
use crate::verify::{Fault, Report, Verdict, Verified};

const GOOD: Style = AnsiColor::Green.on_default().bold();

/// The version of the report for programs: it changes where something goes or means something else.
const VERSION: u32 = 2;

/// How many faults of a chart people are told of.
const MOST_FAULTS: usize = 12;

/// How many charts came out in which way.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) proven: usize,
    /// Proven, and with default values they pull nothing.
    pub(crate) without_pods: usize,
    pub(crate) faulty: usize,
    pub(crate) not_verified: usize,
    pub(crate) left_alone: usize,
}

impl Counts {
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let all = || report.charts.iter().map(|(_, found)| found);
        let count = |verdict| all().filter(|found| found.verdict() == verdict).count();
        let without_pods =
            all().filter(|found| found.verdict() == Verdict::Proven && found.is_empty()).count();
        Counts {
            proven: count(Verdict::Proven) - without_pods,
            without_pods,
            faulty: count(Verdict::Faulty),
            not_verified: count(Verdict::NotVerified),
            left_alone: count(Verdict::LeftAlone),
        }
    }

    /// Whether no chart was to be verified.
    pub(crate) fn is_nothing(self) -> bool {
        self.proven + self.without_pods + self.faulty + self.not_verified == 0
    }
}

/// A bar that counts `charts` on standard error, if that is a terminal.
pub(crate) fn progress(charts: usize, is_wanted: bool) -> ProgressBar {
    let target = if is_wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(charts as u64), target);
    let style = ProgressStyle::with_template("verifying {bar:40} {pos} of {len} charts, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Writes the report for people.
pub(crate) fn write_text(out: &mut dyn Write, report: &Report<'_>, is_coloured: bool) -> io::Result<()> {
    let [good, bad, note] = if is_coloured { [GOOD, ERROR, NOTE] } else { [Style::new(); 3] };
    if report.is_operators {
        write_pulls(out, report, bad)?;
    }
    for (chart, found) in &report.charts {
        let path = chart.shown();
        match found.verdict() {
            Verdict::Proven => {
                let state = match (found.is_changed, &report.base) {
                    _ if report.is_operators => "with these values",
                    (true, Some(base)) => &format!("against {}", printable(base)),
                    (true, None) => "as planned",
                    (false, _) => "as it is",
                };
                let mut what = vec![amount(found.pods, "pod"), amount(found.accounts, "ServiceAccount")];
                if found.is_empty() {
                    what = vec!["renders no pods by default".to_owned()];
                } else if found.overrides > 0 {
                    what.push(amount(found.overrides, "override file"));
                }
                writeln!(out, "{path}: {good}proven{good:#} {state} ({})", what.join(", "))?;
            }
            Verdict::Faulty => {
                writeln!(out, "{path}: {bad}{}{bad:#}", amount(found.faults.len(), "fault"))?;
                write_faults(out, &found.faults, bad, note)?;
            }
            Verdict::NotVerified => {
                let why = found.stopped.as_ref().map_or("", |(_, why)| why);
                writeln!(out, "{path}: {bad}not verified{bad:#}: {}", printable(why))?;
            }
            // The summary names them together.
            Verdict::LeftAlone => {}
        }
        for text in &found.notes {
            writeln!(out, "  {note}note{note:#}: {}", printable(text))?;
        }
    }
    Ok(())
}

/// How many images without a login people are told of, for each reason.
const MOST_IMAGES: usize = 10;

/// How many pods have images, how many of them a login for each image, and of how many that is not known.
fn pods(report: &Report<'_>) -> [usize; 3] {
    let sum = |count: fn(&Verified) -> usize| report.charts.iter().map(|(_, found)| count(found)).sum();
    let [pods, unknown, without]: [usize; 3] =
        [sum(|found| found.pulling), sum(|found| found.unknown), sum(|found| found.without.len())];
    [pods, pods - unknown - without, unknown]
}

/// What has no login, by reason: how many pods, and by image the charts with the number of their pods.
type Without<'r> = BTreeMap<&'r str, (usize, BTreeMap<&'r str, BTreeMap<&'r str, usize>>)>;

fn without<'r>(report: &'r Report<'_>) -> Without<'r> {
    let mut all = Without::new();
    for (chart, found) in &report.charts {
        for (reason, images) in found.without.iter().flatten() {
            let (pods, by_image) = all.entry(reason).or_default();
            *pods += 1;
            for image in images {
                *by_image.entry(image).or_default().entry(&chart.name).or_default() += 1;
            }
        }
    }
    all
}

/// Writes whether the kubelet would pull.
fn write_pulls(out: &mut dyn Write, report: &Report<'_>, bad: Style) -> io::Result<()> {
    let [pods, with_login, unknown] = pods(report);
    let unknown = match unknown {
        0 => String::new(),
        count => format!("; of {count} it is not known, since their Secrets are not made here"),
    };
    let is_not_rendered = |(_, found): &&(&ChartPlan, Verified)| {
        found.verdict() == Verdict::NotVerified
            || found.faults.iter().any(|fault| fault.finding.id == Id::DoesNotRender)
    };
    let not_rendered = match report.charts.iter().filter(is_not_rendered).count() {
        0 => String::new(),
        count => format!("; not counted: those of {}, see below", amount(count, "chart")),
    };
    writeln!(
        out,
        "pods with a login for all of their images: {with_login} of {pods}{unknown}{not_rendered}"
    )?;
    for (reason, (pods, images)) in without(report) {
        writeln!(out, "{bad}no login{bad:#} in {}: {}", amount(pods, "pod"), printable(reason))?;
        for (image, charts) in images.iter().take(MOST_IMAGES) {
            let charts: Vec<_> = charts.keys().map(|name| printable(name)).collect();
            writeln!(out, "  {} in {}", printable(image), charts.join(", "))?;
        }
        if images.len() > MOST_IMAGES {
            writeln!(out, "  and {} more images; --format json has them all", images.len() - MOST_IMAGES)?;
        }
    }
    Ok(())
}

fn write_faults(out: &mut dyn Write, faults: &[Fault], bad: Style, note: Style) -> io::Result<()> {
    for Fault { finding: Finding { location, id, what, .. }, .. } in faults.iter().take(MOST_FAULTS) {
        writeln!(out, "  {location}: {bad}error[{id}]{bad:#}: {what}")?;
    }
    if faults.len() > MOST_FAULTS {
        writeln!(out, "  and {} more; --format json has them all", faults.len() - MOST_FAULTS)?;
    }
    let fixes: BTreeSet<_> = faults.iter().map(|fault| (fault.finding.id, &fault.finding.fix)).collect();
    for (id, fix) in fixes {
        writeln!(out, "  {note}fix[{id}]{note:#}: {fix}")?;
    }
    Ok(())
}

/// Writes the report for programs; `verify.schema.json` beside this file describes it.
pub(crate) fn write_json(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let charts = report.charts.iter().map(|(chart, found)| chart_json(chart, found));
    let report = json!({
        "version": VERSION,
        "program": program(),
        "charts": charts.collect::<Vec<_>>(),
        "counts": Counts::of(report),
        "pulls": report.is_operators.then(|| pulls_json(report)),
        "base": report.base,
        "gone": report.gone.iter().map(|path| json::path(path)).collect::<Vec<_>>(),
        "renders": report.renders,
    });
    write_pretty(out, &report)
}

fn pulls_json(report: &Report<'_>) -> Value {
    let [pods, with_login, unknown] = pods(report);
    let without = without(report).into_iter().flat_map(|(reason, (_, images))| {
        let images = images.into_iter();
        images.map(move |(image, pods)| json!({"image": image, "reason": reason, "pods": pods}))
    });
    json!({"pods": pods, "with_login": with_login, "unknown": unknown, "without": without.collect::<Vec<_>>()})
}

fn chart_json(chart: &ChartPlan, found: &Verified) -> Value {
    let is_proven = found.verdict() == Verdict::Proven;
    let number = |count: usize| is_proven.then_some(count);
    json!({
        "path": json::path(&chart.path),
        "name": chart.name,
        "verdict": found.verdict(),
        "reason": found.stopped.as_ref().map(|(_, why)| why),
        "as_planned": is_proven.then_some(found.is_changed),
        "pods": number(found.pods),
        "service_accounts": number(found.accounts),
        "overrides": number(found.overrides),
        "faults": found.faults.iter().map(fault_json).collect::<Vec<_>>(),
        "notes": found.notes,
    })
}

fn fault_json(fault: &Fault) -> Value {
    let Fault { finding, render, object, what, difference } = fault;
    let mut map = finding_json(finding);
    map.extend([
        ("render".to_owned(), json!(render)),
        ("object".to_owned(), json!(object)),
        ("place".to_owned(), json!(difference.as_ref().map(|found| &found.path))),
        ("before".to_owned(), json!(difference.as_ref().map(|found| &found.before))),
        ("after".to_owned(), json!(difference.as_ref().map(|found| &found.after))),
        ("what".to_owned(), json!(what)),
    ]);
    Value::Object(map)
}

/// Writes the summary. `no_before` says why there is nothing that charts were before.
pub(crate) fn write_summary(
    out: &mut dyn Write,
    plan: &Plan,
    report: &Report<'_>,
    no_before: Option<&str>,
    detail: Detail,
) -> io::Result<()> {
    write_refusals(out, plan)?;
    let counts = Counts::of(report);
    let is_not_compared =
        |(_, found): &(&ChartPlan, Verified)| found.verdict() == Verdict::Proven && !found.is_changed;
    if let Some(why) = no_before.filter(|_| {
        detail >= Detail::Normal && !report.is_operators && report.charts.iter().any(is_not_compared)
    }) {
        writeln!(
            out,
            "{NOTE}note{NOTE:#}: charts that are proven as they are were not compared with what they were before: {why}"
        )?;
    }
    if detail >= Detail::Normal {
        write_left_alone(out, plan)?;
        if !report.gone.is_empty() {
            let gone: Vec<_> = report.gone.iter().map(|path| shown(path)).collect();
            writeln!(out, "gone since {}: {}", report.base.as_deref().unwrap_or("then"), gone.join(", "))?;
        }
        let without_pods = match counts.without_pods {
            0 => String::new(),
            count => format!(" {count} without pods by default,"),
        };
        writeln!(
            out,
            "{} proven,{without_pods} {} faulty, {} not verified, {} left alone ({} of Helm)",
            amount(counts.proven, "chart"),
            counts.faulty,
            counts.not_verified,
            counts.left_alone,
            amount(report.renders, "call"),
        )?;
    }
    if counts.is_nothing() {
        writeln!(
            out,
            "{ERROR}error{ERROR:#}: nothing was verified: none of these charts is to be changed; name other ones, and look at --include and --exclude"
        )?;
    }
    Ok(())
}
