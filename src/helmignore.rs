//! .helmignore: the files of a chart that Helm does not see.

use globset::GlobBuilder;

/// The line of a `.helmignore` that hides `file` from Helm.
pub(crate) fn hiding<'t>(helmignore: &'t str, file: &str) -> Option<&'t str> {
    helmignore.lines().map(str::trim).find(|line| ignores(line, file))
}

/// Whether a line takes in `file`, or a folder that it is in: as Helm has it, a pattern without a slash is for names,
/// one with a slash for whole paths, and one with a slash at its end for folders.
fn ignores(line: &str, file: &str) -> bool {
    if line.is_empty() || line.starts_with(['#', '!']) {
        return false;
    }
    let pattern = line.trim_start_matches('/').trim_end_matches('/');
    // Most patterns end in what none of the names ends in: to compile them takes long.
    let ends_like = |name: &str| name.chars().last() == pattern.chars().last();
    if !pattern.ends_with(['*', '?', ']', '}']) && !file.split('/').any(ends_like) {
        return false;
    }
    // Nor is most of the rest a pattern.
    let is_pattern = pattern.contains(['*', '?', '[', '{', '\\']);
    let glob = || GlobBuilder::new(&without_negation(pattern)).literal_separator(true).build();
    let glob = is_pattern.then(glob).and_then(Result::ok).map(|glob| glob.compile_matcher());
    let is_for_names = !line.trim_end_matches('/').contains('/');
    let matches = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_match =
            |path: &str| glob.as_ref().map_or(!is_pattern && path == pattern, |glob| glob.is_match(path));
        is_match(path) || is_for_names && is_match(name)
    };
    let mut folders = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
    folders.any(matches) || !line.ends_with('/') && matches(file)
}

/// Go knows `[^a]` only: in `[!a]` the mark is a character as others are.
fn without_negation(pattern: &str) -> String {
    let mut parts = pattern.split("[!");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |written, part| {
        let (class, behind) = part.split_once(']').unwrap_or((part, ""));
        written + "[" + class + "!]" + behind
    })
}

#[cfg(test)]
mod tests {
    use super::hiding;

    #[test]
    fn patterns_are_those_of_helm() {
        let file = "templates/a/secret.yaml";
        let hidden = [
            "*.yaml",
            "secret.*",
            "a",
            "a/",
            "templates/",
            "/templates/a/*.yaml",
            "[!s]ecret.yaml",
            "templates",
        ];
        for pattern in hidden {
            assert_eq!(hiding(pattern, file), Some(pattern));
        }
        for pattern in
            ["# *.yaml", "!a", "secret.yaml/", "templates/*.yaml", "ecret.yaml", "[!a]ecret.yaml", "["]
        {
            assert_eq!(hiding(pattern, file), None, "{pattern}");
        }
    }
}
