//! The login that goes into the values.

use std::env;
use std::path::Path;

use super::args::Args;
use crate::error::Error;
use crate::options::unfit_for_login;
use crate::registry::PLACEHOLDER;
use crate::source::read_input;
use crate::text::shown;

/// A password that is no file's, and nobody's who lists processes.
const VARIABLE: &str = "OSH_REGISTRY_AUTH_PASSWORD";

pub(super) struct Login<'a> {
    pub(super) username: &'a str,
    pub(super) password: String,
}

impl<'a> Login<'a> {
    /// What the call says of it, and placeholders for the rest.
    pub(super) fn of(args: &'a Args) -> Result<Self, Error> {
        let username = args.username.as_deref().unwrap_or(PLACEHOLDER);
        let colon = || username.contains(':').then_some("has a colon, which ends it in HTTP");
        if let Some(why) = wrong(username).or_else(colon) {
            return Err(Error::Login(format!("the name {username:?}"), why));
        }
        let given = if let Some(file) = &args.password_file {
            let is_input = file == Path::new("-");
            let place = if is_input { "on standard input".to_owned() } else { format!("in {}", shown(file)) };
            Some((place, read_input(file).map_err(Error::read(file))?))
        } else {
            let text = env::var_os(VARIABLE).filter(|_| args.username.is_some());
            text.map(|text| (format!("in ${VARIABLE}"), text.into_encoded_bytes()))
        };
        let password = given.map(|(place, text)| password(&format!("the password {place}"), text));
        Ok(Login { username, password: password.unwrap_or_else(|| Ok(PLACEHOLDER.to_owned()))? })
    }

    /// Whether there is something in it that is not for everybody.
    pub(super) fn is_secret(&self) -> bool {
        self.password != PLACEHOLDER
    }

    pub(super) fn placeholder_note(&self) -> String {
        let what = if self.username == PLACEHOLDER { "name and password are" } else { "the password is" };
        format!("{what} {PLACEHOLDER}: replace that, or say --username and --password-file")
    }
}

/// Reads a password; the line break that ends its line is none of it.
fn password(what: &str, text: Vec<u8>) -> Result<String, Error> {
    let failed = |why| Error::Login(what.to_owned(), why);
    let text = String::from_utf8(text).map_err(|_| failed("is no text in UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    wrong(line).map_or_else(|| Ok(line.to_owned()), |why| Err(failed(why)))
}

/// Why this cannot be given as a user's name or a password.
fn wrong(text: &str) -> Option<&'static str> {
    if text.is_empty() { Some("is empty") } else { unfit_for_login(text) }
}
