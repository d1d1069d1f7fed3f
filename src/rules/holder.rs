//! What may have imagePullSecrets in a template, and the edit that gives it the Secret to pull with.

use super::pull_secrets;
use crate::chart::Chart;
use crate::context::{Context, KEY, LIST_SNIPPET};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::source::is_partial;
use crate::template::actions::Scope;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;

/// A ServiceAccount, a pod or a part of a custom resource: a mapping that may have imagePullSecrets.
pub(super) struct Holder<'o> {
    /// `a ServiceAccount`
    pub(super) what: &'static str,
    /// The entry by which it was found.
    pub(super) found: &'o Entry<'o>,
    pub(super) keys: Vec<&'o Entry<'o>>,
    /// That of the keys.
    pub(super) column: usize,
    /// The scope that it stands in, as a whole.
    pub(super) scope: Scope,
    /// Byte offset at which a list may be put in, behind a line.
    pub(super) at: usize,
}

/// The edit that gives an object the Secret to pull with; `None` where it names it.
///
/// # Errors
/// A refusal where nothing can be put in for certain, with what to add by hand.
pub(super) fn complete(
    chart: &Chart<'_>,
    outline: &Outline<'_>,
    object: &Holder<'_>,
) -> Result<Option<Edit>, Finding> {
    let Holder { what, found, scope, .. } = object;
    let place = place(&chart.context, outline, object);
    let (at, lines) = match &place {
        Ok(None) => return Ok(None),
        Ok(Some((at, lines))) => (*at, lines.clone()),
        Err(_) => (object.at, pull_secrets::item(object.column + 2)),
    };
    let root = root(chart, outline, at, *scope);
    let by_hand = "add this by hand";
    let (id, why, advice) = if let Err(why) = place {
        let advice = "write its list out by hand, in lines, with this in it";
        (Id::UnclearPullSecrets, format!("whose {KEY} {why}"), advice)
    } else if root.is_none() {
        let why = "where no variable is sure to be the root, which has the values";
        (Id::NoRootVariable, why.to_owned(), by_hand)
    } else if outline.actions.scope_at(at) != *scope {
        let why = "in which a condition begins or ends on the same line";
        (Id::UnclearMetadata, why.to_owned(), by_hand)
    } else {
        return Ok(root.map(|root| pull_secrets::insertion(outline.text, at, &lines, root)));
    };
    let variable = match root {
        Some(_) => "",
        None => ", and for `$` the variable that is the templates' root",
    };
    let fix = format!("{advice}{variable}:\n{}", pull_secrets::with_root(&lines, root.unwrap_or("$")));
    Err(Finding::refused(id, outline.location(found.start), format!("{what} {why}"), fix))
}

/// Where the Secret goes among the image pull secrets of an object: behind the line that ends at a byte, and the lines
/// to put there. `None` where it is among them.
///
/// # Errors
/// Why nothing can be put there: what is said of the imagePullSecrets.
fn place(
    context: &Context,
    outline: &Outline<'_>,
    object: &Holder<'_>,
) -> Result<Option<(usize, String)>, &'static str> {
    let Holder { keys, scope, .. } = object;
    let lists: Vec<&Entry<'_>> = keys.iter().copied().filter(|entry| entry.is(KEY)).collect();
    let is_ours = |item: &Entry<'_>| {
        let conditions = outline.actions.between(item.scope, *scope);
        let conditions: Vec<&str> = conditions.map(|scope| outline.actions.opening(scope)).collect();
        let values = outline.children(item).map(|entry| entry.value).chain([item.value]);
        let is_named = values
            .chain(conditions.iter().copied())
            .any(|text| pull_secrets::names_secret(outline, text, context));
        is_named && pull_secrets::are_of_registry(&outline.actions, &conditions)
    };
    if let [list] = lists.as_slice()
        && list.is_open()
        && outline.children(list).any(is_ours)
    {
        return Ok(None);
    }
    if keys.iter().any(|entry| entry.is("<<")) && outline.text.contains(KEY) {
        return Err("may be merged in by `<<`");
    }
    // helm-toolkit's snippet prints a list only where an operator gives it one: that is no list yet.
    let calls = [LIST_SNIPPET, "include (", "include $"];
    let is_computed =
        |entry: &Entry<'_>| entry.key == Key::Printed && calls.iter().any(|call| entry.value.contains(call));
    if keys.iter().any(|entry| context.lists.are_on(outline, entry) || is_computed(entry)) {
        return Err("come from a define or from the values, or may do so");
    }
    let list = match lists.as_slice() {
        [] => return Ok(Some((object.at, pull_secrets::list(object.column)))),
        [list] if list.scope == *scope => list,
        [_] => return Err("stand under a condition"),
        _ => return Err("stand there twice"),
    };
    let items: Vec<&Entry<'_>> = outline.children(list).collect();
    let is_plain = |item: &&Entry<'_>| {
        let inside: Vec<&Entry<'_>> = outline.children(item).collect();
        let is_name = |name: &Entry<'_>| {
            name.is("name") && !name.is_open() && !name.goes_on && name.line_end == item.line_end
        };
        item.key == Key::Item && item.scope == *scope && matches!(inside.as_slice(), [name] if is_name(name))
    };
    match items.last() {
        // What has an anchor stands in other places, too.
        Some(end) if list.value.is_empty() && items.iter().all(is_plain) => {
            Ok(Some((end.line_end, pull_secrets::item(end.column))))
        }
        _ => Err("are no plain list"),
    }
}

/// The variable that is the templates' root at byte `at`, as far as the calls of the define tell that it is in.
fn root<'o>(chart: &Chart<'_>, outline: &'o Outline<'_>, at: usize, scope: Scope) -> Option<&'o str> {
    let define = outline.actions.name(scope).and_then(|name| chart.context.defines.get(name));
    let is_another = || define.is_some_and(|define| define.is_called_with_another);
    let root = outline.root_variable(at, scope).filter(|root| !root.is_whole || !is_another());
    let is_called_with_it = || define.is_some_and(|define| define.is_called_with_root);
    root.map(|root| root.variable).or_else(|| is_called_with_it().then_some("$"))
}

/// Whether an object has imagePullSecrets of its own, from a define too.
pub(super) fn has_list(chart: &Chart<'_>, outline: &Outline<'_>, object: &Holder<'_>) -> bool {
    object.keys.iter().any(|entry| entry.is(KEY) || chart.context.lists.are_on(outline, entry))
}

/// Whether what stands here is a text to Helm: a file that others take in, and no define of it, or a define that
/// goes into a text.
pub(super) fn is_text(chart: &Chart<'_>, outline: &Outline<'_>, scope: Scope) -> bool {
    match outline.actions.name(scope) {
        Some(name) => chart.context.defines.get(name).is_some_and(|define| define.is_text),
        None => is_partial(outline.path),
    }
}

/// Whether a template becomes a script that runs in a container.
pub(super) fn is_script(chart: &Chart<'_>, outline: &Outline<'_>) -> bool {
    let file = outline.path.strip_prefix(chart.dir).unwrap_or(outline.path);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.components().any(|component| component.as_os_str() == "bin") && is_partial(outline.path)
        || [".sh", ".sh.tpl", ".py", ".py.tpl"].iter().any(|ending| name.ends_with(ending))
}

/// Refuses a template that Helm cannot parse, or nobody read.
pub(super) fn require_balance(outline: &Outline<'_>) -> Result<(), Finding> {
    // A line break to YAML, and to hardly anything else.
    let (what, fix) = if outline.text.contains('\u{85}') {
        let what = "has a line break in it that most programs take for none (U+0085)";
        (what, "take it out, or make it another")
    } else if !outline.actions.is_balanced {
        ("an action or a block in it does not end, or ends nothing", "mend it; `helm lint` says more")
    } else if outline.is_crowded {
        (
            "has more objects or pods in one document than can be told apart",
            "divide them by `---`, or among files",
        )
    } else {
        return Ok(());
    };
    Err(Finding::refused(Id::TemplateSyntax, Location::file(outline.path), what, fix))
}
