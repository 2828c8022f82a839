//! The command line that a manifest records: `generate` and its flags.

use std::ffi::OsString;

use clap::{Args as _, Parser as _};
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::path_of;

use super::{Command, CommandLine, GenerateArgs};

/// The first argument in the manifest of a sequence that was shrunk.
pub(crate) const OF_SHRINK: &str = "shrink";

/// The words of a command line, from the arguments that a manifest records. There a value is always a word of its own. Here it is
/// joined to its flag if it looks like another flag, as in `--config=-x.yaml`.
pub(crate) fn words_of_manifest(arguments: &[String]) -> Vec<OsString> {
    let command = GenerateArgs::augment_args(clap::Command::new("generate"));
    let with_value = || command.get_arguments().filter(|arg| arg.get_action().takes_values());
    let takes_value =
        |flag: &str| with_value().any(|arg| arg.get_long().is_some_and(|long| flag == format!("--{long}")));
    let mut words: Vec<OsString> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        words.push(path_of(argument).into());
        let value = if takes_value(argument) { rest.next() } else { None };
        match (value.map(|value| path_of(value)), words.last_mut()) {
            (Some(value), Some(flag)) if value.as_os_str().as_encoded_bytes().starts_with(b"-") => {
                flag.push("=");
                flag.push(value);
            }
            (value, _) => words.extend(value.map(Into::into)),
        }
    }
    words
}

/// The flags of `generate` among the arguments that a manifest records. They name every file that was read.
///
/// # Errors
/// One line that says what is wrong with the arguments.
pub(crate) fn flags_of_manifest(arguments: &[String]) -> Result<GenerateArgs, String> {
    if arguments.first().is_some_and(|first| first == OF_SHRINK) {
        return Err("no seed makes a sequence again that was shrunk".to_owned());
    }
    let name = std::iter::once(OsString::from(env!("CARGO_PKG_NAME")));
    let line = CommandLine::try_parse_from(name.chain(words_of_manifest(arguments)));
    match line.map_err(|error| first_line(&error))?.command {
        Some(Command::Generate(mut arguments)) => {
            arguments.device.only_named = true;
            Ok(*arguments)
        }
        _ => Err("they are not those of `generate`".to_owned()),
    }
}

/// The flags of `generate` that made runs of this origin, with the number of runs that the phases of a plan state.
///
/// # Errors
/// As [`flags_of_manifest`].
pub(crate) fn flags_of_origin(origin: &Origin) -> Result<GenerateArgs, String> {
    let mut flags = flags_of_manifest(&origin.arguments)?;
    flags.extent.num_runs = origin.phase_runs.or(flags.extent.num_runs);
    Ok(flags)
}

/// What clap says is wrong, without its advice about the command line.
pub(crate) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
