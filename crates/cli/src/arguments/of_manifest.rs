//! The command line that a manifest records: `generate` and its flags.

use clap::Parser as _;
use nandseq_trace::recorded::path_of;

use super::{Command, CommandLine, GenerateArgs};

/// The flags of `generate` among the arguments that a manifest records. They name every file that was read.
///
/// # Errors
/// One line that says what is wrong with the arguments.
pub(crate) fn flags_of_manifest(arguments: &[String]) -> Result<GenerateArgs, String> {
    let name = std::iter::once(env!("CARGO_PKG_NAME").into());
    let line = CommandLine::try_parse_from(name.chain(arguments.iter().map(|argument| path_of(argument))));
    match line.map_err(|error| first_line(&error))?.command {
        Some(Command::Generate(mut arguments)) => {
            arguments.device.only_named = true;
            Ok(*arguments)
        }
        _ => Err("they are not those of `generate`".to_owned()),
    }
}

/// What clap says is wrong, without its advice about the command line.
pub(crate) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
