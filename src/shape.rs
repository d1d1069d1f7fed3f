//! Shapes: what the edit of one chart has in common with those of all others. 67 charts get the
//! same few edits, and a reviewer should read each of them once.
//!
//! Nothing is guessed from texts: the rules make the edits, and know what varies in them. A shape is a
//! rule and what it writes, with the names of [`Parameters`](crate::yaml::Parameters) where these differ.

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lines are put in.
    Insert,
    /// A line of the owner's changes.
    ChangeLine,
    /// A file comes to be.
    Create,
    /// A file is replaced as a whole.
    Replace,
}

impl Action {
    /// What it is called in reports for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Action::Insert => "insert",
            Action::ChangeLine => "change-line",
            Action::Create => "create",
            Action::Replace => "replace",
        }
    }
}

/// What an edit comes to, whatever chart it is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// The rule's name.
    pub rule: &'static str,
    /// What is done.
    pub action: Action,
    /// Where: `values.yaml: endpoints`, or a file or folder of the chart.
    pub target: String,
    /// What is written, with the names of parameters for their texts.
    pub text: String,
}

impl Shape {
    /// A name that stays the same as long as the shape does, on any machine: 16 hex digits.
    #[must_use]
    pub fn id(&self) -> String {
        let Shape { rule, action, target, text } = self;
        let whole = [rule, action.name(), target, text].join("\0");
        // FNV-1a: nobody gains by two shapes of one name, so that any stable hash will do.
        let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}
