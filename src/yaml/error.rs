//! The one error type of the editor.

use super::node::{Kind, Position};

/// Why a text cannot be read, or not be edited by inserting text.
///
/// As text it is one phrase without the position: "a tab is used as indent",
/// "`conf.nova` is a list, where a mapping belongs".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", subject(path))]
pub struct Error {
    /// Where it is.
    pub position: Position,
    /// The way from the root to the node at fault, as [`Document::path`](super::Document::path)
    /// has it; empty for the root, and where the text as a whole is at fault.
    pub path: String,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl Error {
    /// An error of the text as a whole.
    pub(super) fn at(position: Position, kind: ErrorKind) -> Self {
        Error { position, path: String::new(), kind }
    }
}

fn subject(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}` is ") }
}

/// What is wrong with a text or a node of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// A NUL character, at which YAML parsers stop reading.
    #[error("a NUL character ends the YAML here")]
    Nul,
    /// The parser's own complaint.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// What the parser takes and Helm does not.
    #[error("Helm does not read {0}")]
    Unread(&'static str),
    /// A tab where only spaces may indent.
    #[error("a tab is used as indent")]
    Tab,
    /// Mappings and lists nested deeper than this.
    #[error("nested deeper than {0} levels")]
    Depth(usize),
    /// A second document begins.
    #[error("a second YAML document begins here")]
    SecondDocument,
    /// A control character, a line break that is none to YAML 1.2, or a byte order mark inside of
    /// the text; in comments too.
    #[error("the character U+{:04X}, which YAML does not allow or parsers disagree on", u32::from(*.0))]
    Character(char),
    /// A list, a mapping or null as a key.
    #[error("{0} as a key, which Helm does not take")]
    Key(Kind),
    /// Aliases that multiply the text.
    #[error("aliases (*) that stand for too much of the text over and over")]
    Aliases,

    /// A key that is an alias, has a tag, or is a YAML 1.1 word or number without quotes.
    #[error(
        "a mapping whose key here is an alias (*), has a tag (!) or is no text to Helm, which reads YAML 1.1"
    )]
    OpaqueKey,
    /// A `<<`, which may bring an entry, or hide one that is there.
    #[error("a mapping into which another one is merged (<<) that holds entries which belong here")]
    Merged,
    /// The mapping has an anchor that aliases refer to: they would change as well.
    #[error("a mapping that aliases (*) elsewhere stand for too")]
    Shared,
    /// A list, a scalar or an alias.
    #[error("{0}, where a mapping belongs")]
    NotAMapping(Kind),
    /// An empty flow mapping with a comment in it, one without braces of its own, or null in a flow mapping.
    #[error("written in flow style ({{...}}) in a way that takes no entries")]
    FlowMapping,
    /// The text ends in a block scalar without a line break, which would swallow new lines.
    #[error("a block scalar (|, >) that ends the text without a line break")]
    UnfinishedBlockScalar,
    /// A mapping that starts on the line of something else, or nothing behind `? key`.
    #[error("a value without lines of its own")]
    NoLineOfItsOwn,

    /// Two parsers read different things out of the text as it is.
    #[error("two YAML parsers read different things out of the text as it is")]
    ParsersDisagree,
    /// The edited text is not the old one plus the entries, for this reason.
    #[error("no edit could be proven right: {0}")]
    Unproven(String),
}
