//! `osh-registry-auth`, the program. What happens is told in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    osh_registry_auth::main()
}
