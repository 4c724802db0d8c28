//! `stratum completions` and `stratum man`: files for the shell, drawn from the definition of the commands.

use std::io::Write;

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, ManArgs, Shell};
use super::{Exit, Failure};

/// Prints completions.
pub fn completions(args: &CompletionsArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    use clap_complete::Shell as Target;
    let shell = match args.shell {
        Shell::Bash => Target::Bash,
        Shell::Elvish => Target::Elvish,
        Shell::Fish => Target::Fish,
        Shell::PowerShell => Target::PowerShell,
        Shell::Zsh => Target::Zsh,
    };
    // Into memory first: the generator panics when it cannot write.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stratum", &mut text);
    out.write_all(&text)?;
    Ok(Exit::Ok)
}

/// Prints the manual page, or writes a page for each command.
pub fn man(args: &ManArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &args.dir {
        None => clap_mangen::Man::new(Cli::command()).render(out)?,
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Cli::command(), dir)?;
        }
    }
    Ok(Exit::Ok)
}
