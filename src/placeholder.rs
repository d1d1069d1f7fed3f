//! What differs from chart to chart in texts that are otherwise the same.

use std::collections::BTreeMap;

/// Stands for the chart's name.
pub(crate) const CHART: &str = "CHART";

/// Names of placeholders, and what they stand for in one chart.
pub(crate) type Placeholders = BTreeMap<&'static str, Filled>;

/// A text that is made for a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) text: String,
    /// The text with placeholders. It is made along with the text, since nobody can tell afterwards: a chart may be
    /// called by a word that stands in it anyway.
    pub(crate) pattern: String,
}

impl Filled {
    pub(crate) fn chart(name: &str) -> Self {
        Filled { text: name.to_owned(), pattern: CHART.to_owned() }
    }

    /// A text that has nothing to do with the chart's name.
    pub(crate) fn fixed(text: String) -> Self {
        Filled { pattern: text.clone(), text }
    }
}

/// `template` with texts in the place of names, all at once: there may be such names in the texts, too.
pub(crate) fn fill(template: &str, texts: &[(&str, String)]) -> String {
    let (mut filled, mut rest) = (String::new(), template);
    loop {
        let cuts = texts.iter().filter_map(|(name, text)| Some((rest.split_once(name)?, text)));
        let Some(((before, behind), text)) = cuts.min_by_key(|((before, _), _)| before.len()) else {
            return filled + rest;
        };
        filled.extend([before, text]);
        rest = behind;
    }
}
