//! `osh-registry-auth`: parse the arguments, run, exit. What happens is told in the library.

use std::process::ExitCode;

use clap::Parser as _;
use osh_registry_auth::cli::Cli;
use osh_registry_auth::run;

fn main() -> ExitCode {
    run::run(&Cli::parse())
}
