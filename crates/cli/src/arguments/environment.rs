//! Flags whose values may come from the environment, and the reading of a command line with them.
//!
//! A variable counts for the command line of the process alone: the arguments in a manifest or in a list of campaigns are read
//! without variables. A flag on the command line goes before its variable. An empty variable counts as unset. [`Read::applied`]
//! lists the flags that variables have set, so that the program can say so.

use std::any::TypeId;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches, Parser as _, ValueEnum};
use nandseq_trace::recorded::{recorded, shell_word, shown};

use super::examples::with_examples;
use super::words::{color, in_order, is_short_given, opposed, with_values};
use super::{CommandLine, Format};
use crate::failure::{Failure, warning_text};
use crate::{tell, terminal};

/// A flag that a variable may set.
struct Variable {
    /// The identifier of the flag in the parser.
    id: &'static str,
    name: &'static str,
    commands: Commands,
}

/// The commands whose flag a variable sets, by their paths, such as `coverage report`. The path of the program itself is empty.
enum Commands {
    All,
    /// All commands but these, which take the value from a manifest.
    AllBut(&'static [&'static str]),
    Only(&'static [&'static str]),
}

impl Commands {
    fn have(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(others) => !others.contains(&path),
            Self::Only(these) => these.contains(&path),
        }
    }
}

const fn variable(id: &'static str, name: &'static str, commands: Commands) -> Variable {
    Variable { id, name, commands }
}

const VARIABLES: [Variable; 9] = [
    variable("config", "NANDSEQGEN_CONFIG", Commands::AllBut(&["replay"])),
    variable("op_state_probs", "NANDSEQGEN_OP_STATE_PROBS", Commands::All),
    variable("badlist", "NANDSEQGEN_BADLIST", Commands::AllBut(&["verify"])),
    variable("plan", "NANDSEQGEN_PLAN", Commands::Only(&["", "generate", "explain"])),
    variable("seed", "NANDSEQGEN_SEED", Commands::AllBut(&["diagnose", "simulate"])),
    variable("out_dir", "NANDSEQGEN_OUT_DIR", Commands::All),
    // In other commands `--format` is the form of a report or a timeline.
    variable("format", "NANDSEQGEN_FORMAT", Commands::Only(&["", "generate"])),
    variable("stamp", "NANDSEQGEN_STAMP", Commands::All),
    variable("jobs", "NANDSEQGEN_JOBS", Commands::All),
];

/// A flag that a variable has set.
#[derive(Clone, PartialEq, Eq, serde::Serialize, Debug)]
pub(crate) struct Applied {
    variable: &'static str,
    flag: String,
    value: String,
}

impl Applied {
    /// The remark that lists these; `None` for an empty list.
    pub(crate) fn remark(all: &[Self]) -> Option<String> {
        let each = |one: &Self| format!("{} sets {} {}", one.variable, one.flag, shell_word(&one.value));
        let list: Vec<String> = all.iter().map(each).collect();
        (!list.is_empty()).then(|| format!("from the environment: {}", list.join(", ")))
    }
}

/// A command line, and what the environment added to it.
pub(crate) struct Read {
    pub(crate) line: CommandLine,
    pub(crate) applied: Vec<Applied>,
}

/// The command line of these words, with the variables of this process; `None` for help and versions, which are printed. A mistake in the
/// command line ends the process.
///
/// # Errors
/// When help or the version cannot be printed.
pub(crate) fn read_words(words: Vec<OsString>) -> Result<Option<Read>, Failure> {
    let mut whole = CommandLine::command();
    whole.build();
    let words = with_values(in_order(words, &whole));
    if let Some(color) = color(&words) {
        color.apply();
    }
    match read(&words) {
        Ok(read) => {
            for [counts, other] in opposed(&words) {
                let both = format!("{other} and {counts} are both given: {counts} counts, because it comes last");
                tell(&warning_text(&both));
            }
            Ok(Some(read))
        }
        Err(error) if error.use_stderr() => error.exit(),
        Err(printed) => terminal::print(&printed.render().ansi().to_string()).map(|()| None),
    }
}

/// The command line of these words, without the variables of this process. Flags of every command may come before it.
///
/// # Errors
/// For a mistake, and for words that ask for help or the version.
pub(crate) fn parse_words(words: Vec<OsString>) -> Result<CommandLine, clap::Error> {
    let mut whole = CommandLine::command();
    whole.build();
    CommandLine::try_parse_from(with_values(in_order(words, &whole)))
}

/// The first of these flags of a command that words give, as it is written; each is named by its identifier in the parser.
pub(crate) fn given(words: &[OsString], command: &str, ids: &[&str]) -> Option<String> {
    let whole = CommandLine::command();
    let flags = whole.find_subcommand(command)?.clone();
    let matches = whole.try_get_matches_from(words).ok()?;
    let of_command = matches.subcommand_matches(command)?;
    let is_given = |id: &&&str| of_command.value_source(id) == Some(ValueSource::CommandLine);
    let id = ids.iter().find(is_given)?;
    let long = flags.get_arguments().find(|flag| flag.get_id() == *id).and_then(Arg::get_long)?;
    Some(format!("--{long}"))
}

fn read(words: &[OsString]) -> Result<Read, clap::Error> {
    let matches = match CommandLine::command().try_get_matches_from(words) {
        Ok(matches) => matches,
        // Help shows the variables too.
        Err(error) if !error.use_stderr() => {
            return Err(documented().try_get_matches_from(words).err().unwrap_or(error));
        }
        Err(error) if error.kind() == ErrorKind::InvalidUtf8 => {
            let named = no_text(words).map(|message| CommandLine::command().error(ErrorKind::InvalidUtf8, message));
            return Err(named.unwrap_or(error));
        }
        Err(error) => return Err(with_hint(as_given(error, words))),
    };
    let path = path(&matches);
    let mut whole = documented();
    whole.build();
    let applied = applied(&whole, &path, &matches)?;
    let mut matches =
        if applied.is_empty() { matches } else { with_variables_of(&path, &applied).try_get_matches_from(words)? };
    let mut line = CommandLine::from_arg_matches_mut(&mut matches)?;
    if let Some(device) = line.read_device() {
        device.is_config_of_environment = applied.iter().any(|one| one.flag == "--config");
    }
    Ok(Read { line, applied })
}

/// The command with examples and with the variables of all flags, as help and manuals show it.
pub(crate) fn documented() -> Command {
    with_examples(with_variables(CommandLine::command(), ""))
}

fn with_variables(command: Command, path: &str) -> Command {
    let command = with_own_variables(command, path);
    command.mut_subcommands(|inner| {
        let name = inner.get_name().to_owned();
        let path = if path.is_empty() { name } else { format!("{path} {name}") };
        with_variables(inner, &path)
    })
}

fn with_own_variables(command: Command, path: &str) -> Command {
    command.mut_args(|arg| match variable_of(&arg, path) {
        Some(variable) if env::var_os(variable.name).is_some_and(|value| value.is_empty()) => arg,
        Some(variable) => arg.env(variable.name).hide_env_values(true),
        None => arg,
    })
}

fn variable_of(arg: &Arg, path: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| arg.get_id() == variable.id && variable.commands.have(path))
}

/// The command with these variables on the flags of one subcommand. The flags of other subcommands read no variable.
fn with_variables_of(path: &[String], applied: &[Applied]) -> Command {
    fn inner(command: Command, path: &[String], at: usize, applied: &[Applied]) -> Command {
        match path.get(at) {
            Some(name) => command.mut_subcommand(name, |command| inner(command, path, at + 1, applied)),
            None => command.mut_args(|arg| match variable_of(&arg, &path.join(" ")) {
                Some(variable) if applied.iter().any(|one| one.variable == variable.name) => arg.env(variable.name),
                Some(_) | None => arg,
            }),
        }
    }
    inner(CommandLine::command(), path, 0, applied)
}

/// The names of the chosen subcommands, the outermost first.
fn path(matches: &ArgMatches) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = matches;
    while let Some((name, inner)) = rest.subcommand() {
        names.push(name.to_owned());
        rest = inner;
    }
    names
}

/// The flags that the environment sets. The value of each variable is checked by itself, so that the error names the variable.
fn applied(command: &Command, path: &[String], matches: &ArgMatches) -> Result<Vec<Applied>, clap::Error> {
    let (mut command, mut matches) = (command, matches);
    for name in path {
        let inner = command.find_subcommand(name).zip(matches.subcommand_matches(name));
        let Some((inner_command, inner_matches)) = inner else { return Ok(Vec::new()) };
        (command, matches) = (inner_command, inner_matches);
    }
    let mut applied = Vec::new();
    for arg in command.get_arguments() {
        let Some((variable, long)) = variable_of(arg, &path.join(" ")).zip(arg.get_long()) else { continue };
        let Some(value) = env::var_os(variable.name).filter(|value| !value.is_empty()) else { continue };
        // A variable does not count if the command line has its flag or one that excludes its flag.
        let mut others = command.get_arg_conflicts_with(arg);
        others.push(arg);
        // Of two flags that exclude one another, perhaps only one says so.
        let excludes =
            |one: &&Arg| command.get_arg_conflicts_with(one).iter().any(|other| other.get_id() == arg.get_id());
        others.extend(command.get_arguments().filter(excludes));
        if others.iter().any(|one| matches.value_source(one.get_id().as_str()) == Some(ValueSource::CommandLine)) {
            continue;
        }
        check(arg, long, &value).map_err(|reason| {
            let message = format!("{reason}\n\n  it is the value of the environment variable {}", variable.name);
            command.clone().error(ErrorKind::InvalidValue, message)
        })?;
        applied.push(Applied {
            variable: variable.name,
            flag: format!("--{long}"),
            value: recorded(Path::new(&value)),
        });
    }
    Ok(applied)
}

/// Checks that a flag takes a value. The error is the message of the parser without the usage.
fn check(arg: &Arg, long: &str, value: &OsStr) -> Result<(), String> {
    let mut word = OsString::from(format!("--{long}="));
    word.push(value);
    let alone = Command::new(env!("CARGO_PKG_NAME")).no_binary_name(true).arg(arg.clone().env(None::<&str>));
    alone.try_get_matches_from([word]).map(drop).map_err(|error| {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default().trim_end();
        first.strip_prefix("error: ").unwrap_or(first).to_owned()
    })
}

/// The message about the first value that is not text (UTF-8) and has to be. Paths may be any bytes.
fn no_text(words: &[OsString]) -> Option<String> {
    let whole = CommandLine::command();
    let takes_text = |flag: &str| {
        let mut args = commands_of(&whole).flat_map(Command::get_arguments);
        let arg = args.find(|arg| arg.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long)));
        arg.is_some_and(|arg| arg.get_value_parser().type_id() != TypeId::of::<PathBuf>())
    };
    words.iter().enumerate().filter(|(_, word)| word.to_str().is_none()).find_map(|(at, word)| {
        let word = shown(word);
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map(shown);
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), value),
            Some(_) | None => (before?, &*word),
        };
        takes_text(&flag).then(|| format!("the value of '{flag}' is not text (UTF-8): '{value}'"))
    })
}

/// Names flags as they were given: `-n`, where the parser would say `--ops`.
fn as_given(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let whole = CommandLine::command();
    let short = |named: &str| {
        let (long, value) = named.strip_prefix("--").map(|rest| rest.split_at(rest.find(' ').unwrap_or(rest.len())))?;
        let mut args = commands_of(&whole).flat_map(Command::get_arguments);
        let is_it = |arg: &&Arg| {
            arg.get_long() == Some(long) && arg.get_short().is_some_and(|short| is_short_given(words, long, short))
        };
        Some(format!("-{}{value}", args.find(is_it)?.get_short()?))
    };
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        if let Some(ContextValue::String(named)) = error.get(kind)
            && let Some(short) = short(named)
        {
            error.insert(kind, ContextValue::String(short));
        }
    }
    error
}

/// The program and its subcommands.
fn commands_of(whole: &Command) -> impl Iterator<Item = &Command> {
    std::iter::once(whole).chain(whole.get_subcommands())
}

/// Says what is meant where the parser does not: flags before the name of a subcommand, a word that is no flag's, `--format json`
/// where `--format` is the form of the tables.
fn with_hint(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        Some(_) | None => "",
    };
    if error.kind() == ErrorKind::ArgumentConflict && error.get(ContextKind::InvalidSubcommand).is_some() {
        return misplaced(text(ContextKind::InvalidSubcommand));
    }
    // That a word which looks like a flag could be an operand is hardly ever meant.
    let as_operand = |tip: &str| tip.starts_with("to pass '");
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested)
        && tips.iter().any(|tip| as_operand(&tip.to_string()))
    {
        error.remove(ContextKind::Suggested);
        return error;
    }
    let is_format = text(ContextKind::InvalidArg).starts_with("--format ") && text(ContextKind::InvalidValue) == "json";
    let forms = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let forms: Vec<String> = forms.map(|form| form.get_name().to_owned()).collect();
    let of_tables = error.get(ContextKind::ValidValue) == Some(&ContextValue::Strings(forms));
    if is_format && of_tables {
        let tip = "--format is the form of the tables; the summary is printed as JSON with '--summary json'";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The error for a word behind flags that stands where no value is wanted.
fn misplaced(word: &str) -> clap::Error {
    let mut whole = CommandLine::command();
    let message = if whole.find_subcommand(word).is_some() {
        format!("flags of '{word}' stand after its name: {} {word} [OPTIONS]", whole.get_name())
    } else {
        format!("'{word}' is no subcommand, and no value of the flag before it")
    };
    whole.error(ErrorKind::ArgumentConflict, message)
}
