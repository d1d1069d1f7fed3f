//! Completions for shells and the manual page, generated from the description of the arguments.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

/// Generates completions for `shell`.
pub(crate) fn completions(shell: Shell) -> String {
    let mut program = Cli::command();
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, &name, &mut script);
    // For bash it writes the dash in the program's name in two ways, and then completes no options of
    // commands: https://github.com/clap-rs/clap/issues/6421
    let (wrong, right) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
    String::from_utf8_lossy(&script).replace(&wrong, &right)
}

/// Generates the manual page, in roff: that of the program, and each command with its options below it.
pub(crate) fn page() -> io::Result<Vec<u8>> {
    let mut program = Cli::command();
    // The commands get their full names.
    program.build();
    let mut page = Vec::new();
    let whole = Man::new(program.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    for command in program.get_subcommands() {
        let heading = format!(".SH \"{}\"\n", command.get_name().to_uppercase());
        page.extend(heading.into_bytes());
        let mut sections = Vec::new();
        let command = Man::new(command.clone());
        command.render_description_section(&mut sections)?;
        command.render_synopsis_section(&mut sections)?;
        command.render_options_section(&mut sections)?;
        // The sections of a page of its own are parts of a section here.
        page.extend(String::from_utf8_lossy(&sections).replace("\n.SH ", "\n.SS ").into_bytes());
    }
    let mut rest = Vec::new();
    whole.render_extra_section(&mut rest)?;
    // What follows the help is a table, and stays in lines.
    let rest =
        String::from_utf8_lossy(&rest).replace("\n.SH EXTRA\n", "\n.SH \"EXIT CODES, EXAMPLES\"\n.nf\n");
    page.extend(rest.into_bytes());
    page.extend(b".fi\n");
    Ok(page)
}
