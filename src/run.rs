//! A call of the program, from its arguments to its exit code.

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use globset::GlobSet;

use crate::base::Base;
use crate::chart_plan::Outcome;
use crate::cli::{
    Apply, Call, CheckFormat, Cli, Command, Common, PlanFormat, Proof, Reports, Verify, VerifyFormat,
};
use crate::discover::{self, Checkouts};
use crate::disk::{self, Scratch};
use crate::error::Error;
use crate::metadata::Role;
use crate::options::Options;
use crate::output::{print, print_text, unless_closed};
use crate::overrides::args::Args;
use crate::plan::{Plan, Selection};
use crate::report::check::{self, list::count_errors};
use crate::report::review::Review;
use crate::report::style::Detail;
use crate::report::summary::{self, Done};
use crate::report::{html, json, markdown, overrides as said, verify as report};
use crate::signals::Signals;
use crate::verify::{self, Helm, Setup, Verdict};
use crate::{base, diff, git, lock, manual, overrides, passes, write};

/// Nothing is left to be done.
const DONE: u8 = 0;
/// There is something to do, and the call asked for it to show.
const FOUND: u8 = 1;
/// A chart could not be handled, or the call could not.
const REFUSED: u8 = 2;

/// More threads than this help on no machine, and a system may not have them.
const MAX_JOBS: usize = 256;

type AnyError = Box<dyn std::error::Error>;

/// Runs the program: parses its arguments, does what they say, and reports on standard output and standard
/// error.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::of_the_call();
    let color = match &cli.call {
        Call::Charts(command) => command.common().color,
        Call::Completions { .. } | Call::Man => clap::ColorChoice::Auto,
    };
    let color = match color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let mut stderr = AutoStream::new(io::stderr(), color);
    let done = match &cli.call {
        Call::Charts(command) => execute(command, color, &mut stderr),
        Call::Completions { shell } => print_own(manual::completions(*shell).as_bytes()),
        Call::Man => manual::page().map_err(Into::into).and_then(|page| print_own(&page)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(stderr, "error: {error}");
            if let Some(signal) = error.downcast_ref().and_then(Error::signal) {
                signal.end_the_program();
            }
            ExitCode::from(REFUSED)
        }
    }
}

/// Prints what the program says of itself.
fn print_own(text: &[u8]) -> Result<u8, AnyError> {
    print_text(text)?;
    Ok(DONE)
}

fn execute(command: &Command, color: ColorChoice, stderr: &mut dyn Write) -> Result<u8, AnyError> {
    let common = command.common();
    // This thread is one of them.
    let jobs = common.jobs.min(MAX_JOBS);
    rayon::ThreadPoolBuilder::new().num_threads(jobs).use_current_thread().build_global()?;
    let options = command.options();
    let checkouts = discover::find(&common.checkouts, &passes::folders(&options))?;
    // Before anything is read that another run may be writing; it is held to the end.
    let _lock = match command {
        Command::Apply(_) => Some(clear_the_way(&checkouts, common.detail(), stderr)?),
        _ => None,
    };
    let with_toolkits = matches!(command, Command::Verify(_) | Command::Overrides { .. });
    let selection = common.selection(with_toolkits)?;
    let roots = checkouts.roots.clone();
    let mut plan = passes::plan(checkouts, &selection, &options);
    common.require_included(&plan.charts)?;
    let has_changes = !plan.files().is_empty();
    if let (Command::Plan { .. }, Ok(folder)) = (command, env::current_dir()) {
        plan.note_what_git_leaves_out(&folder);
    }
    let changed = |exit_code: &bool| if *exit_code && has_changes { FOUND } else { DONE };
    let detail = common.detail();
    let (done, code) = match command {
        Command::Plan { exit_code, changing, .. } => {
            print_plan(&changing.reports, &plan, color)?;
            (Some(Done::Planned), changed(exit_code))
        }
        Command::Apply(args) => {
            let done = apply(args, &plan, color, stderr)?;
            let code = match done {
                Done::Dirty(_) | Done::Unproven { not_verified: 1.., .. } => REFUSED,
                Done::Unproven { .. } => FOUND,
                _ => changed(&args.exit_code),
            };
            (Some(done), code)
        }
        Command::Check { base, reports, .. } => {
            if !base.is_empty() {
                let known = |checkouts| passes::plan(checkouts, &selection, &options);
                read_base(&Scratch::new()?, &plan, &roots, base, common, known)?.drop_known(&mut plan);
            }
            let (errors, warnings) = print_findings(reports, &plan, color, detail)?;
            (Some(Done::Checked { errors, warnings }), if errors > 0 { FOUND } else { DONE })
        }
        Command::Verify(args) => (None, verify(args, &plan, &roots, color, stderr)?),
        Command::Overrides { args, .. } => (None, overrides(args, &plan, detail, stderr)?),
    };
    if let Some(done) = done {
        // A hundred checkouts have thousands of warnings.
        let mut out = BufWriter::new(stderr);
        let said = summary::write(&mut out, &plan, &done, detail).and_then(|()| out.flush());
        // Where something was written, it is done, whoever can still be told.
        if !matches!(done, Done::Applied { .. }) {
            unless_closed(said)?;
        }
    }
    Ok(if plan.refusals().next().is_some() { REFUSED } else { code })
}

/// Writes the files of `plan`, unless a chart is refused, a file is dirty, or Helm is to prove it and does not.
fn apply(args: &Apply, plan: &Plan, color: ColorChoice, stderr: &mut dyn Write) -> Result<Done, AnyError> {
    let Apply { verify: is_proven, proof, allow_dirty, changing, common, .. } = args;
    if changing.reports.is_asked_for() {
        print_plan(&changing.reports, plan, color)?;
    }
    if plan.refusals().next().is_some() && !changing.keep_going {
        return Ok(Done::Withheld);
    }
    let dirty = if *allow_dirty { Ok(Vec::new()) } else { git::dirty_files(&plan.base, &plan.files()) };
    let is_clean = matches!(&dirty, Ok(files) if files.is_empty());
    if !is_clean && !changing.reports.is_asked_for() {
        print_plan(&changing.reports, plan, color)?;
    }
    let dirty = dirty?;
    if !dirty.is_empty() {
        return Ok(Done::Dirty(dirty));
    }
    if *is_proven {
        let (toolkit, scratch) = (toolkit_plan(proof, &changing.options)?, Scratch::new()?);
        let mut verified = prove(plan, &setup(proof, toolkit.as_ref(), &scratch), common.detail())?;
        // What is refused is not written.
        verified.charts.retain(|(chart, found)| match found.verdict() {
            Verdict::Faulty => true,
            Verdict::NotVerified => chart.outcome() != Outcome::Refused,
            Verdict::Proven | Verdict::LeftAlone => false,
        });
        // Colours are stripped from a stream that is to have none.
        report::write_text(stderr, &verified, true)?;
        let report::Counts { faulty, not_verified, .. } = report::Counts::of(&verified);
        if faulty + not_verified > 0 {
            return Ok(Done::Unproven { faulty, not_verified });
        }
    }
    let signals = Signals::catch()?;
    let watch = |_, _: &Path| signals.caught().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)));
    write::write(plan, &watch)?;
    Ok(Done::Applied { is_proven: *is_proven })
}

/// Waits for other runs to end, and removes what those that were killed have left.
fn clear_the_way(checkouts: &Checkouts, detail: Detail, stderr: &mut dyn Write) -> Result<Vec<File>, Error> {
    // Where standard error is closed there is nobody to tell.
    let mut waiting = |folder: &Path| drop(summary::write_waiting(stderr, folder));
    let lock = lock::take(&checkouts.roots, &mut waiting)?;
    let cleared: usize = checkouts.roots.iter().map(|root| disk::clear_up(root)).sum();
    if detail >= Detail::Normal {
        let _ = summary::write_cleared_up(stderr, cleared);
    }
    Ok(lock)
}

/// Prints the plan in the formats that the call asks for.
fn print_plan(reports: &Reports<PlanFormat>, plan: &Plan, color: ColorChoice) -> Result<(), Error> {
    // Grouping compares every line that changes: not for the diff alone.
    let needs_review = reports.targets()?.iter().any(|(format, _)| *format != PlanFormat::Diff);
    let review = if needs_review { Some(Review::new(plan)?) } else { None };
    let is_terminal = reports.output.is_empty() && io::stdout().is_terminal();
    print(reports, plan, color, |format, out, is_coloured| match (format, &review) {
        (PlanFormat::Json, Some(review)) => json::write(out, review),
        (PlanFormat::Markdown, Some(review)) => markdown::write(out, review),
        (PlanFormat::Html, Some(review)) => html::write(out, review),
        _ => diff::write_all(out, plan, is_coloured, is_terminal),
    })
}

/// Prints what was found in the formats that the call asks for; returns the numbers of errors and warnings.
fn print_findings(
    reports: &Reports<CheckFormat>,
    plan: &Plan,
    color: ColorChoice,
    detail: Detail,
) -> Result<(usize, usize), Error> {
    let listed = check::list::list(plan, env::current_dir().ok().as_deref());
    print(reports, plan, color, |format, out, is_coloured| match format {
        CheckFormat::Text => check::text::write(out, &listed, is_coloured, detail),
        CheckFormat::Json => check::json::write(out, &listed),
        CheckFormat::Github => check::github::write(out, &listed),
        CheckFormat::Sarif => check::sarif::write(out, &listed),
    })?;
    let errors = count_errors(&listed);
    Ok((errors, listed.len() - errors))
}

/// Has Helm render what is planned, and reports what came out.
fn verify(
    args: &Verify,
    plan: &Plan,
    roots: &BTreeSet<PathBuf>,
    color: ColorChoice,
    stderr: &mut dyn Write,
) -> Result<u8, AnyError> {
    let Verify { common, options, proof, base, all_overrides, reports, .. } = args;
    // What is wrong with the call is said now, and not when Helm has worked for half a minute.
    reports.targets()?;
    let scratch = Scratch::new()?;
    let operator = args.operator(&scratch)?;
    // Nothing of the base is to be changed.
    let nothing = Selection { include: Some(GlobSet::empty()), ..Selection::default() };
    let read = |names: &[String]| {
        read_base(&scratch, plan, roots, names, common, |checkouts| Plan::new(checkouts, &nothing, options))
    };
    // What `apply` has just written must not be compared with itself.
    let (base, no_before) = if base.is_empty() {
        match base::has_changes(roots) {
            Some(true) => (Some(read(&["HEAD".to_owned()])?), None),
            Some(false) => (None, None),
            None => (None, Some("git has nothing committed here, or cannot tell")),
        }
    } else {
        (Some(read(base)?), None)
    };
    let toolkit = toolkit_plan(proof, options)?;
    let setup = Setup {
        base: base.as_ref(),
        all_overrides: *all_overrides,
        operator: operator.as_ref(),
        ..setup(proof, toolkit.as_ref(), &scratch)
    };
    let verified = prove(plan, &setup, common.detail())?;
    print(reports, plan, color, |format, out, is_coloured| match format {
        VerifyFormat::Text => report::write_text(out, &verified, is_coloured),
        VerifyFormat::Json => report::write_json(out, &verified),
    })?;
    unless_closed(report::write_summary(stderr, plan, &verified, no_before, common.detail()))?;
    let counts = report::Counts::of(&verified);
    Ok(if counts.not_verified > 0 || counts.is_nothing() {
        REFUSED
    } else if counts.faulty > 0 {
        FOUND
    } else {
        DONE
    })
}

/// Renders the charts of `plan`, with a progress bar.
fn prove<'p>(plan: &'p Plan, setup: &Setup<'_>, detail: Detail) -> Result<verify::Report<'p>, AnyError> {
    let charts = plan.charts.iter().filter(|chart| chart.role == Role::Application).count();
    let bar = report::progress(charts, detail >= Detail::Normal);
    let verified = verify::verify(plan, setup, &bar);
    bar.finish_and_clear();
    verified
}

/// How a plan is proven against what it starts from.
fn setup<'s>(proof: &Proof, toolkit: Option<&'s Plan>, scratch: &'s Scratch) -> Setup<'s> {
    let (seconds, mebibytes) = (proof.helm_timeout.get().into(), proof.helm_output.get().into());
    let helm = Helm::new(proof.helm.as_deref(), seconds, mebibytes, scratch.path().join("helm"));
    Setup { toolkit, base: None, helm, scratch, all_overrides: false, operator: None }
}

/// The checkouts as they are in git, looked at by `look`.
fn read_base(
    scratch: &Scratch,
    plan: &Plan,
    roots: &BTreeSet<PathBuf>,
    names: &[String],
    common: &Common,
    look: impl FnOnce(Checkouts) -> Plan,
) -> Result<Base, Error> {
    if names.len() > 1 && names.len() != common.checkouts.len() {
        return Err(Error::Revisions { revisions: names.len(), checkouts: common.checkouts.len() });
    }
    Base::read(scratch, plan, roots, (names, &common.checkouts), look)
}

/// Writes what an operator passes to Helm.
fn overrides(args: &Args, plan: &Plan, detail: Detail, stderr: &mut dyn Write) -> Result<u8, AnyError> {
    let written = overrides::write(args, plan)?;
    print_text(written.stdout.as_bytes())?;
    unless_closed(said::write(stderr, plan, &written, detail))?;
    Ok(if written.charts.is_empty() || !written.left_out.is_empty() { REFUSED } else { DONE })
}

/// The plan for the helm-toolkit that the call names, if it does.
fn toolkit_plan(proof: &Proof, options: &Options) -> Result<Option<Plan>, Error> {
    let Some(dir) = &proof.helm_toolkit else { return Ok(None) };
    let checkouts = discover::find(std::slice::from_ref(dir), &[])?;
    let plan = Plan::new(checkouts, &Selection::default(), options);
    let is_toolkit = matches!(plan.charts.as_slice(), [chart] if chart.role == Role::Toolkit);
    if is_toolkit { Ok(Some(plan)) } else { Err(Error::NoToolkit(dir.to_owned())) }
}
