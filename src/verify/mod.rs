//! `verify`: the proof of a plan by the real Helm.
//!
//! Each chart is rendered as it is and as planned, in copies in a scratch folder ([`stage`]): with
//! default values, with authentication on, and with authentication on and a registry of the operator's.
//! With default values nothing may change. With authentication on the [`credentials`] must be what the
//! values say, and nothing else may change. What differs between two renders of the chart as it is, is
//! noise ([`pattern`]); it is learned where it is in the way, and only there. What Helm prints is read
//! by [`tree`].

pub mod credentials;
pub mod pattern;
pub mod stage;
pub mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use serde::Deserialize as _;

use crate::chart::Role;
use crate::disk::Scratch;
use crate::error::printable;
use crate::helm::{Helm, NAMESPACE};
use crate::plan::{ChartPlan, Outcome, Plan};
use crate::signals::Signals;
use credentials::{Counts, Credentials, is_hash_of_secret};
use pattern::{Difference, Pattern};
use stage::{Stage, State};
use tree::{Node, Objects, Reader};

const AUTH_ON: &str = "endpoints.oci_image_registry.auth.enabled=true";
const AUTH_OFF: &str = "endpoints.oci_image_registry.auth.enabled=false";
const OTHER_HOST: &str = "endpoints.oci_image_registry.host_fqdn_override.default=registry.example.com";
/// The host in there.
const HOST: &str = "registry.example.com";

/// How many renders of a chart are made at most to tell noise from differences, of it as it is and of
/// what is compared with it. A coin that falls one way in all of the former and the other way in all of the
/// latter is taken for a difference: once in 2 to the power of 15.
const MOST_RENDERS: usize = 8;

/// How soon a signal ends the program.
const SOON: Duration = Duration::from_millis(20);

/// What a chart is rendered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Render {
    /// The values in values.yaml.
    Default,
    /// Authentication is on.
    AuthOn,
    /// And the operator names the registry's host.
    OtherHost,
}

impl Render {
    /// What it is, as in "with default values".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Render::Default => "default values",
            Render::AuthOn => "authentication on",
            Render::OtherHost => "authentication on and a host of the operator's",
        }
    }

    /// What programs call it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Render::Default => "default",
            Render::AuthOn => "auth-on",
            Render::OtherHost => "auth-on-other-host",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which render.
    pub render: Render,
    /// The object, as `Kind/name`.
    pub object: Option<String>,
    /// The place in it where something differs, empty for the object as a whole.
    pub path: Option<String>,
    /// What should be there, if anything.
    pub before: Option<String>,
    /// What is there, if anything.
    pub after: Option<String>,
    /// What is wrong, where nothing differs.
    pub what: Option<String>,
}

/// What came out for a chart.
#[derive(Debug)]
pub enum Verdict {
    /// All is as it should be, in the chart as planned or, where nothing is, as it is.
    Proven(Counts, State),
    /// Something is not.
    Faults(Vec<Fault>),
    /// It could not be verified, for this reason.
    NotVerified(String),
    /// It is none of this program's business, for this reason.
    LeftAlone(&'static str),
}

/// A chart and what came out for it.
#[derive(Debug)]
pub struct Verified {
    /// Its folder, relative to [`Plan::base`].
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// What came out.
    pub verdict: Verdict,
    /// What else a reader should know.
    pub notes: BTreeSet<String>,
    /// In how many objects something is different in each render of the chart as it is.
    pub noisy: usize,
}

/// What came out for all charts, toolkits aside.
#[derive(Debug)]
pub struct Report {
    /// The charts, sorted by path.
    pub charts: Vec<Verified>,
    /// How often Helm was called.
    pub renders: usize,
}

/// What is told of the work while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// One more chart is done.
    ChartDone,
    /// A signal has come, and the program is about to end.
    Interrupted,
}

/// Verifies all charts of a plan, in parallel. The user may have named a Helm, and a helm-toolkit,
/// which has a plan of its own.
///
/// A signal ends the program at once; the scratch folder goes first.
///
/// # Errors
/// Where there is no Helm, or no scratch folder.
pub fn verify(
    plan: &Plan,
    toolkit: Option<&Plan>,
    helm: Option<&Path>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, Box<dyn std::error::Error>> {
    let signals = Signals::catch()?;
    let scratch = Scratch::new()?;
    let helm = Helm::find(helm, scratch.path().join("helm"))?;
    scratch.make_folder(Path::new(COMPLAINTS))?;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (scratch, helm) = (&scratch, &helm);
        scope.spawn(move || {
            while is_done.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                if let Some(signal) = signals.caught() {
                    helm.stop();
                    scratch.clear();
                    progress(Progress::Interrupted);
                    signal.end_the_program();
                    return;
                }
            }
        });
        let stage = Stage::new(scratch, plan, toolkit);
        let work = Work { stage, helm, scratch, renders: AtomicUsize::new(0) };
        let charts: Vec<(usize, &ChartPlan)> =
            plan.charts.iter().enumerate().filter(|(_, chart)| chart.role == Role::Application).collect();
        let verified = charts.into_par_iter().with_max_len(1).map(|(index, chart)| {
            let verified = work.verify(index, chart);
            progress(Progress::ChartDone);
            verified
        });
        let charts = verified.collect();
        drop(done);
        Ok(Report { charts, renders: work.renders.load(Ordering::Relaxed) })
    })
}

/// Where Helm's complaints go, in the scratch folder.
const COMPLAINTS: &str = "complaints";

/// What all charts share.
struct Work<'w> {
    stage: Stage<'w>,
    helm: &'w Helm,
    scratch: &'w Scratch,
    renders: AtomicUsize,
}

/// What was found out about a chart that could be verified.
#[derive(Default)]
struct Found {
    faults: Vec<Fault>,
    counts: Counts,
    notes: BTreeSet<String>,
    noisy: usize,
    state: State,
}

impl Work<'_> {
    fn verify(&self, index: usize, chart: &ChartPlan) -> Verified {
        let mut verified = Verified {
            path: chart.path.clone(),
            name: chart.name.clone(),
            verdict: Verdict::LeftAlone(""),
            notes: BTreeSet::new(),
            noisy: 0,
        };
        verified.verdict = match &chart.outcome {
            Outcome::LeftAlone(reason) => Verdict::LeftAlone(reason),
            Outcome::Refused(refusals) => {
                let why =
                    refusals.first().map(|refusal| format!("refused: {}: {}", refusal.place, refusal.what));
                Verdict::NotVerified(why.unwrap_or_default())
            }
            Outcome::Complete | Outcome::Change(_) => match self.examine(index, chart) {
                Err(why) => Verdict::NotVerified(why),
                Ok(found) => {
                    verified.notes = found.notes;
                    verified.noisy = found.noisy;
                    if found.faults.is_empty() {
                        Verdict::Proven(found.counts, found.state)
                    } else {
                        Verdict::Faults(found.faults)
                    }
                }
            },
        };
        verified
    }

    /// Renders a chart in all ways, and looks at what comes out. An error is why it cannot be done.
    fn examine(&self, index: usize, chart: &ChartPlan) -> Result<Found, String> {
        let planned = self.stage.make(index, State::Planned)?;
        let as_it_is = if planned.is_changed { Some(self.stage.make(index, State::AsItIs)?) } else { None };
        let values = first_document(&self.stage.planned_values(chart)?)?;
        let is_on =
            values.at(&["endpoints", "oci_image_registry", "auth", "enabled"]).is_some_and(Node::is_true);

        let mut calls: Vec<(&Path, &[&str])> =
            vec![(&planned.path, &[]), (&planned.path, &[AUTH_ON]), (&planned.path, &[AUTH_ON, OTHER_HOST])];
        calls.extend(as_it_is.as_ref().map(|staged| (staged.path.as_path(), &[] as &[&str])));
        // Where an owner has switched it on, off is what has to be asked for.
        calls.extend(is_on.then_some((planned.path.as_path(), &[AUTH_OFF] as &[&str])));
        let printed = calls.par_iter().with_max_len(1).map(|(folder, sets)| self.render(chart, folder, sets));
        let mut printed = printed.collect::<Vec<_>>().into_iter();
        let mut next = || printed.next().unwrap_or_else(|| Err("was not rendered".to_owned()));
        let (default, on, other_host) = (next(), next(), next());
        let before = as_it_is.as_ref().map(|_| next());
        let off = is_on.then(&mut next);

        let mut reader = Reader::default();
        let before = before.as_ref().unwrap_or(&default).as_ref();
        let before = before.map_err(|error| format!("does not render as it is: {error}"))?;
        let before = reader.read(before, NAMESPACE).map_err(|error| format!("as it is: {error}"))?;
        let folder = as_it_is.as_ref().map_or(&planned.path, |staged| &staged.path);
        let mut untouched = Baseline { folder, sets: &[], samples: vec![before.clone()] };
        let state = if as_it_is.is_some() { State::Planned } else { State::AsItIs };
        let mut found = Found { notes: planned.notes, state, ..Found::default() };

        let credentials = Credentials::of(&values, &chart.name, None);
        let egress = credentials.as_ref().ok().and_then(|credentials| credentials.egress.as_ref());
        let without_egress = |objects: &Objects, found: &mut Found| {
            let Some(egress) = egress else { return objects.clone() };
            let (objects, gained) = credentials::without_egress(objects, &before, egress);
            found.notes.extend(
                gained.iter().map(|key| format!("{key} gains the egress of the new endpoint, and only that")),
            );
            objects
        };

        let mut default_objects = None;
        if let Some(objects) = found.read(&mut reader, Render::Default, default) {
            let rest = without_egress(&objects, &mut found);
            let again = Again {
                folder: &planned.path,
                sets: &[],
                prepare: &mut |objects| without_egress(objects, &mut found),
            };
            let differences = untouched.differences(self, chart, &mut reader, &rest, &|_| false, again)?;
            // It is one more render of what should be the same chart.
            if differences.is_empty() && untouched.samples.len() > 1 {
                untouched.samples.push(rest);
            }
            found.add(Render::Default, differences);
            default_objects = Some(objects);
        }
        found.noisy = Pattern::learn(&untouched.samples).noisy();

        let mut switched_off = match off {
            Some(off) => found.read(&mut reader, Render::AuthOn, off).map(|objects| Baseline {
                folder: &planned.path,
                sets: &[AUTH_OFF],
                samples: vec![objects],
            }),
            None => None,
        };
        let off = switched_off.as_ref().and_then(|baseline| baseline.samples.first().cloned());
        let off = off.or(default_objects).unwrap_or_else(|| before.clone());
        let baseline = switched_off.as_mut().unwrap_or(&mut untouched);
        let renders: [(_, _, &[&str], _); 2] = [
            (Render::AuthOn, on, &[AUTH_ON], None),
            (Render::OtherHost, other_host, &[AUTH_ON, OTHER_HOST], Some(HOST)),
        ];
        for (render, printed, sets, host) in renders {
            let Some(objects) = found.read(&mut reader, render, printed) else { continue };
            let credentials = match Credentials::of(&values, &chart.name, host) {
                Ok(credentials) => credentials,
                Err(what) => {
                    found.say(render, None, what);
                    continue;
                }
            };
            let (flaws, counts) = credentials.flaws(&objects, &off);
            for flaw in flaws {
                found.say(render, flaw.object.map(|key| key.to_string()), flaw.what);
            }
            found.notes.extend(counts.elsewhere.iter().map(|key| {
                let namespace = &key.namespace;
                format!("{key} is in the namespace {namespace}, its ServiceAccount in that of the release: install it into {namespace}")
            }));
            found.counts = counts;
            let rest = without_egress(&credentials.taken_off(&objects, &off), &mut found);
            let is_hash =
                |difference: &Difference| is_hash_of_secret(difference, &objects, &off, &planned.path);
            let again = Again {
                folder: &planned.path,
                sets,
                prepare: &mut |objects| without_egress(&credentials.taken_off(objects, &off), &mut found),
            };
            let differences = baseline.differences(self, chart, &mut reader, &rest, &is_hash, again)?;
            let (hashes, differences): (Vec<_>, Vec<_>) = differences.into_iter().partition(is_hash);
            found.notes.extend(hashes.into_iter().map(|Difference { object, path, .. }| {
                format!("{object}: {path} is a hash of the Secret, and changes with it")
            }));
            found.add(render, differences);
        }
        found.noisy = found.noisy.max(Pattern::learn(&baseline.samples).noisy());
        Ok(found)
    }

    /// What Helm makes of a chart in the scratch folder, or what it complains of.
    fn render(&self, chart: &ChartPlan, folder: &Path, sets: &[&str]) -> Result<String, String> {
        let number = self.renders.fetch_add(1, Ordering::Relaxed);
        let complaints = Path::new(COMPLAINTS).join(number.to_string());
        let file = self.scratch.create(&complaints).map_err(|error| error.to_string())?;
        let output = self.helm.template(&release(&chart.name), folder, sets, file);
        let output = output.map_err(|error| format!("Helm cannot be run: {error}"))?;
        if output.is_success {
            return Ok(output.stdout);
        }
        let said = fs::read(self.scratch.path().join(complaints)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let start = said.find("Error:").unwrap_or(0);
        let said = said.get(start..).unwrap_or_default().trim();
        let said = said.replace("\n\nUse --debug flag to render out invalid YAML", "");
        Err(said.replace(folder.to_string_lossy().as_ref(), &chart.name).replace('\n', " "))
    }
}

/// A name that Helm takes for a release: that of the chart, as far as it goes.
fn release(chart: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = chart.chars().take(53).map(allowed).collect();
    name.trim_end_matches('-').to_owned()
}

/// values.yaml as data. Helm takes the first document, whatever follows.
fn first_document(text: &str) -> Result<Node, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = serde_yaml::Deserializer::from_str(text).next();
    let node = first.map(Node::deserialize).transpose().map_err(|error| format!("values.yaml: {error}"))?;
    node.ok_or_else(|| "values.yaml is empty".to_owned())
}

/// What a chart renders again and again.
struct Baseline<'b> {
    folder: &'b Path,
    sets: &'b [&'b str],
    samples: Vec<Objects>,
}

/// How the render that is compared can be had again.
struct Again<'a> {
    folder: &'a Path,
    sets: &'a [&'a str],
    /// What is done to the objects before they are compared.
    prepare: &'a mut dyn FnMut(&Objects) -> Objects,
}

impl Baseline<'_> {
    /// Where `objects` differ from what the samples explain. As long as something does that is not
    /// `expected`, both charts are rendered again: it may be noise that has not shown yet.
    ///
    /// Some noise is too rare for samples: a certificate is shorter where its number happens to start with
    /// a zero, a list of two comes in one order seven times out of eight. So one render of what is compared
    /// has to be explained, whole, and not each. The two take turns, so that what the clock changes does
    /// not tell them apart.
    fn differences(
        &mut self,
        work: &Work<'_>,
        chart: &ChartPlan,
        reader: &mut Reader,
        objects: &Objects,
        is_expected: &dyn Fn(&Difference) -> bool,
        again: Again<'_>,
    ) -> Result<Vec<Difference>, String> {
        let Again { folder, sets, prepare } = again;
        let mut more = |folder: &Path, sets: &[&str], count: usize| {
            let printed = (0..count).into_par_iter().with_max_len(1);
            let printed: Vec<_> = printed.map(|_| work.render(chart, folder, sets)).collect();
            let read = printed.into_iter().map(|printed| {
                let printed = printed.map_err(|error| format!("does not render again: {error}"))?;
                reader.read(&printed, NAMESPACE)
            });
            read.collect::<Result<Vec<Objects>, String>>()
        };
        let mut compared = vec![objects.clone()];
        loop {
            let pattern = Pattern::learn(&self.samples);
            let found: Vec<_> = compared.iter().map(|objects| pattern.differences(objects)).collect();
            if let Some(explained) = found.iter().find(|found| found.iter().all(is_expected)) {
                return Ok(explained.clone());
            }
            let samples = self.samples.len();
            if compared.len() < samples {
                let renders = more(folder, sets, samples - compared.len())?;
                compared.extend(renders.iter().map(&mut *prepare));
            } else if samples < MOST_RENDERS {
                self.samples.extend(more(self.folder, self.sets, samples.min(MOST_RENDERS - samples))?);
            } else {
                return Ok(common(&found, is_expected));
            }
        }
    }
}

/// What is found in all renders; where that says nothing that is not expected, what is found in the one
/// with the least.
fn common(found: &[Vec<Difference>], is_expected: &dyn Fn(&Difference) -> bool) -> Vec<Difference> {
    let is_everywhere =
        |one: &&Difference| found.iter().all(|found| found.iter().any(|other| place(one) == place(other)));
    let common: Vec<Difference> = found.iter().take(1).flatten().filter(is_everywhere).cloned().collect();
    if common.iter().all(is_expected) {
        return found.iter().min_by_key(|found| found.len()).cloned().unwrap_or_default();
    }
    common
}

/// Where a difference is, but for what may be random itself: an object's name, and how far down in a text.
fn place(difference: &Difference) -> (&str, &str) {
    let path = difference.path.as_str();
    let text = path.rsplit_once(".line ").map_or(path, |(text, _)| text);
    (&difference.object.kind, text)
}

impl Found {
    /// The objects in what was printed; a fault, where there are none.
    fn read(&mut self, reader: &mut Reader, of: Render, printed: Result<String, String>) -> Option<Objects> {
        let objects = printed.map_err(|error| format!("does not render: {error}")).and_then(|printed| {
            reader.read(&printed, NAMESPACE).map_err(|error| format!("renders what is no YAML: {error}"))
        });
        match objects {
            Ok(objects) => Some(objects),
            Err(what) => {
                self.say(of, None, what);
                None
            }
        }
    }

    fn say(&mut self, render: Render, object: Option<String>, what: String) {
        self.push(Fault { render, object, path: None, before: None, after: None, what: Some(what) });
    }

    fn add(&mut self, render: Render, differences: Vec<Difference>) {
        for difference in differences {
            let is_secret = difference.object.kind == "Secret" && !difference.path.is_empty();
            // Reports are read by many.
            let hide = |text: String| {
                if is_secret { format!("({} characters)", text.chars().count()) } else { text }
            };
            self.push(Fault {
                render,
                object: Some(difference.object.to_string()),
                path: Some(difference.path),
                before: difference.before.map(hide),
                after: difference.after.map(hide),
                what: None,
            });
        }
    }

    /// What was said of one render is not said of the next, where something random may stand beside it.
    fn push(&mut self, fault: Fault) {
        let is_known = |known: &Fault| {
            let Fault { object, path, before, what, .. } = known;
            (object, path, before, what) == (&fault.object, &fault.path, &fault.before, &fault.what)
        };
        if !self.faults.iter().any(is_known) {
            self.faults.push(fault);
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "with {}: ", self.render.name())?;
        if let Some(object) = &self.object {
            write!(f, "{}: ", printable(object))?;
        }
        if let Some(path) = self.path.as_ref().filter(|path| !path.is_empty()) {
            write!(f, "{}: ", printable(path))?;
        }
        match (&self.what, &self.before, &self.after) {
            (Some(what), ..) => f.write_str(&printable(what)),
            (None, Some(before), None) if self.path.as_deref() != Some("") => {
                write!(f, "{} is gone", short(before))
            }
            (None, None, Some(after)) if self.path.as_deref() != Some("") => {
                write!(f, "{} is new", short(after))
            }
            (None, Some(_), None) => f.write_str("is gone"),
            (None, None, _) => f.write_str("is new"),
            (None, Some(before), Some(after)) => {
                let (before, after) = around_difference(before, after);
                write!(f, "{before} -> {after}")
            }
        }
    }
}

/// How much of a text is shown.
const SHOWN: usize = 100;

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", printable(&cut))
}

/// Two texts, from a little before the place where they differ.
fn around_difference(before: &str, after: &str) -> (String, String) {
    let common = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let start = if common > SHOWN / 2 { common - SHOWN / 4 } else { 0 };
    let from = |text: &str| {
        let dots = if start > 0 { "..." } else { "" };
        format!("{dots}{}", short(&text.chars().skip(start).collect::<String>()))
    };
    (from(before), from(after))
}
