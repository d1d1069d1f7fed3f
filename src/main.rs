//! `osh-registry-auth`, the program. What happens is told in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    osh_registry_auth::main()
}
