//! With what pods pull: the login that goes into the values, or the name of a Secret that is there already.

use std::env;
use std::path::Path;

use super::args::Args;
use crate::error::Error;
use crate::options::{SecretName, unfit_for_login};
use crate::registry::PLACEHOLDER;
use crate::source::read_input;
use crate::text::shown;

/// A password that is no file's, and nobody's who lists processes.
const VARIABLE: &str = "OSH_REGISTRY_AUTH_PASSWORD";

pub(super) enum Access<'a> {
    Login { username: &'a str, password: String },
    Secret(&'a SecretName),
}

impl<'a> Access<'a> {
    pub(super) fn of(args: &'a Args) -> Result<Self, Error> {
        if let Some(secret) = &args.existing_secret {
            return Ok(Access::Secret(secret));
        }
        let Some(username) = args.username.as_deref() else {
            return Ok(Access::Login { username: PLACEHOLDER, password: PLACEHOLDER.to_owned() });
        };
        let colon = || username.contains(':').then_some("has a colon, which ends it in HTTP");
        if let Some(why) = wrong(username).or_else(colon) {
            return Err(Error::Login(format!("the name {username:?}"), why));
        }
        let password = match args.password_file.as_deref() {
            Some(file) => {
                let is_input = file == Path::new("-");
                let place = if is_input { "on standard input" } else { &format!("in {}", shown(file)) };
                let text = read_input(file).map_err(Error::read(file))?;
                password(&format!("the password {place}"), text)?
            }
            None => match env::var_os(VARIABLE) {
                Some(text) => password(&format!("the password in ${VARIABLE}"), text.into_encoded_bytes())?,
                None => PLACEHOLDER.to_owned(),
            },
        };
        Ok(Access::Login { username, password })
    }

    /// Whether there is something in it that is not for everybody.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Access::Login { password, .. } if password != PLACEHOLDER)
    }

    pub(super) fn placeholder_note(&self) -> Option<String> {
        match self {
            Access::Login { username, password } if password == PLACEHOLDER => {
                let what = if *username == PLACEHOLDER { "name and password are" } else { "the password is" };
                Some(format!("{what} {PLACEHOLDER}: replace that, or say --username and --password-file"))
            }
            _ => None,
        }
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
