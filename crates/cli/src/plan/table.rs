//! Which probability table is used: a preset, a file, the profile's own, or one that is built.

use std::path::{Path, PathBuf};

use nandseq_generate::probability::{self, Distributions};
use nandseq_profile::Profile;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::table::{self as files, Table as FileTable};
use nandseq_trace::manifest::Input;
use nandseq_trace::recorded::recorded;

use crate::arguments::{Demo, GenerateArgs};
use crate::failure::{Failure, Problem, note_text, remark_text};
use crate::inputs;

/// The file beside a profile that is loaded if it is there.
const DEFAULT_FILE: &str = "op_state_probs.yaml";

/// The table in force.
#[derive(Debug)]
pub(crate) struct Table {
    /// Weights of op names by phase key.
    pub(crate) distributions: Distributions,
    /// The file it was read from.
    pub(crate) input: Option<Input>,
    /// The file it is to be written to.
    pub(crate) output: Option<TableFile>,
    demo: Option<Demo>,
    built_anew: bool,
    seed: u64,
}

/// A table file to write.
#[derive(Debug)]
pub(crate) struct TableFile {
    /// Where.
    pub(crate) path: PathBuf,
    /// What.
    pub(crate) text: String,
}

impl Table {
    /// Finds the table that the flags ask for; what is worth saying about it is added to `remarks`.
    pub(crate) fn resolve(arguments: &GenerateArgs, profile: &Profile, remarks: &mut String) -> Result<Self, Failure> {
        let flags = &arguments.table;
        let built_anew = flags.autofill_pc || flags.refresh_op_state_probs;
        let path = file(arguments);
        let mut input = None;
        let mut distributions = match path.as_deref().filter(|path| !built_anew && path.exists()) {
            Some(path) => {
                let (mut table, read) = read(path, profile, remarks)?;
                let changes = probability::override_loaded(profile, &mut table.entries);
                remarks.push_str(&overridden(&changes, &read.source, profile, flags.validate_pc));
                input = Some(read);
                table.entries
            }
            None if built_anew => probability::build(profile, flags.pc_seed),
            None => probability::of_profile(profile, flags.pc_seed),
        };
        if let (Some(path), None, false) = (&flags.op_state_probs, &input, built_anew) {
            let problem = Problem::new(format!("the probability table `{}` is not there", path.display()));
            let help = "check the path, or write a table there with --refresh-op-state-probs; without --op-state-probs one is built";
            return Err(problem.help(help).into());
        }
        let output = match (flags.refresh_op_state_probs, path) {
            (false, _) => None,
            (true, Some(path)) => {
                let table = FileTable { entries: distributions.clone() };
                Some(TableFile { path, text: files::write(&table, profile) })
            }
            (true, None) => {
                let problem = Problem::new("--refresh-op-state-probs has no file to write for the built-in device");
                return Err(problem.help("name it with --op-state-probs PATH").into());
            }
        };
        if flags.validate_pc {
            validate(&distributions, profile, input.as_ref())?;
        }
        if let Some(demo) = flags.pc_demo {
            apply_demo(demo, profile, &mut distributions)?;
        }
        Ok(Self { distributions, input, output, demo: flags.pc_demo, built_anew, seed: flags.pc_seed })
    }

    /// The flags that give this table again.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(demo) = self.demo {
            super::push(&mut all, "--pc-demo", demo_name(demo));
        }
        if let Some(input) = &self.input {
            super::push(&mut all, "--op-state-probs", &input.source);
        }
        if self.built_anew {
            all.push("--autofill-pc".to_owned());
        }
        super::push(&mut all, "--pc-seed", self.seed);
        all
    }
}

/// The file named, or the one beside the profile; the built-in device has none.
fn file(arguments: &GenerateArgs) -> Option<PathBuf> {
    let beside = || arguments.device.config.as_deref().map(|profile| profile.with_file_name(DEFAULT_FILE));
    arguments.table.op_state_probs.clone().or_else(beside)
}

fn read(path: &Path, profile: &Profile, remarks: &mut String) -> Result<(FileTable, Input), Failure> {
    let (source, sha256) = inputs::text("the probability table", path)?;
    let (table, diagnostics) = files::read(&source, profile);
    match table {
        Some(table) => {
            remarks.push_str(&diagnostics.render(&source, Styling::Coloured));
            Ok((table, Input { source: recorded(path), sha256 }))
        }
        None => Err(Failure::Faulty(Box::new((source, diagnostics)))),
    }
}

/// Masses that a note shows; --validate-pc shows all.
const SHOWN: usize = 3;

/// What the profile's overrides changed in a table that was loaded; nothing if they changed nothing.
fn overridden(changes: &[probability::Change], table: &str, profile: &Profile, all: bool) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = changes
        .iter()
        .take(if all { usize::MAX } else { SHOWN })
        .map(|change| {
            let (key, op) = (&profile.phase_keys[change.key].name, &profile.ops[change.op].name);
            format!("{key}: {op} {} -> {}", share_text(change.stated), share_text(change.in_force))
        })
        .collect();
    let masses = if changes.len() == 1 { "a mass".to_owned() } else { format!("{} masses", changes.len()) };
    let mut text = format!("the profile's probabilities are final: they replace {masses} of `{table}`");
    for line in &shown {
        text.push_str(&format!("\n  {line}"));
    }
    match changes.len() - shown.len() {
        0 => {}
        more => text.push_str(&format!("\n  {more} more: --validate-pc shows all")),
    }
    // Who asks for all of them wants to see them.
    if all { remark_text(&text) } else { note_text(&text) }
}

/// A share as a percentage of at most four digits behind the point.
fn share_text(share: f64) -> String {
    let text = format!("{:.4}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What reading a table cannot find wrong: keys that propose nothing, masses that are no mass.
fn validate(distributions: &Distributions, profile: &Profile, input: Option<&Input>) -> Result<(), Failure> {
    let name = input.map_or("the built table", |input| &input.source);
    let mut problems = Vec::new();
    for (key, entries) in distributions {
        let key = &profile.phase_keys[*key].name;
        if !entries.iter().any(|&(_, mass)| mass > 0.0) {
            problems.push(Problem::new(format!("{name}: nothing can be proposed under the key `{key}`")));
        }
        for (op, mass) in entries.iter().filter(|(_, mass)| !(mass.is_finite() && *mass > 0.0)) {
            let op = &profile.ops[*op].name;
            problems.push(Problem::new(format!("{name}: the mass {mass} of `{op}` under `{key}` is not above zero")));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Unusable(problems)) }
}

fn apply_demo(demo: Demo, profile: &Profile, distributions: &mut Distributions) -> Result<(), Failure> {
    let preset = match demo {
        Demo::EraseOnly => probability::Demo::EraseOnly,
        Demo::Mix => probability::Demo::Mix,
        Demo::PgmRead => probability::Demo::ProgramRead,
    };
    preset.apply(profile, distributions);
    Ok(())
}

fn demo_name(demo: Demo) -> &'static str {
    match demo {
        Demo::EraseOnly => "erase-only",
        Demo::Mix => "mix",
        Demo::PgmRead => "pgm-read",
    }
}
