//! The probability table in force: from a file, the profile's own, or built; a preset may replace its part for DEFAULT.

use std::path::{Path, PathBuf};

use nandseq_generate::probability::{self, Distributions};
use nandseq_profile::diagnostic::counted;
use nandseq_profile::table::{self as files, ProbabilityTable};
use nandseq_profile::{OpId, PhaseKey, Profile, Severity, SourceFile};
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::Input;
use nandseq_trace::recorded::{recorded, shown};

use crate::arguments::in_force::{InForceArgs, TableArgs};
use crate::arguments::{DemoFlag, GenerateArgs};
use crate::console;
use crate::failure::{Failure, Problem, note_text, remark_text, remarks_text, warning_text};
use crate::inputs::{self, left_out};

/// The file beside a profile that is loaded if it is there.
const DEFAULT_FILE: &str = "op_state_probs.yaml";

/// The table in force.
#[derive(Debug)]
pub(crate) struct ResolvedTable {
    /// Weights of op names by phase key.
    pub(crate) distributions: Distributions,
    /// The file it was read from.
    pub(crate) input: Option<Input>,
    /// The text of that file.
    pub(crate) source: Option<SourceFile>,
    /// The file it is to be written to.
    pub(crate) output: Option<TableOutput>,
    demo: Option<DemoFlag>,
    built_anew: bool,
    seed: u64,
}

/// The table that flags ask for, and what is done before it is used.
#[derive(Debug)]
pub(crate) struct WantedTable<'a> {
    /// The path of the profile, if a table beside it counts.
    config: Option<&'a Path>,
    flags: &'a TableArgs,
    /// Whether the table is built anew and written.
    refresh: bool,
    /// Whether a table that proposes nothing under some key is refused.
    validate: bool,
    /// Whether flags say that the bootstrap comes first, or that it does not.
    bootstrap: Option<bool>,
    /// Number of runs that flags ask for, for `generate`.
    runs: Option<u64>,
}

/// The value of a pair of opposite flags, of which the parser keeps the last; `None` if neither is given.
fn either(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

impl<'a> WantedTable<'a> {
    /// The table that the flags of `generate` ask for.
    pub(crate) fn of_generate(arguments: &'a GenerateArgs) -> Self {
        Self {
            config: arguments.device.config.as_deref().filter(|_| !arguments.device.only_named),
            flags: &arguments.table,
            refresh: arguments.table_file.refresh_op_state_probs,
            validate: arguments.table_file.validate_pc,
            bootstrap: either(arguments.start.bootstrap, arguments.start.no_bootstrap),
            runs: Some(arguments.extent.runs()),
        }
    }

    /// The table that the flags of a command ask for that writes no table.
    pub(crate) fn of_flags(arguments: &'a InForceArgs) -> Self {
        let config = arguments.device.config.as_deref();
        let bootstrap = either(arguments.bootstrap, arguments.no_bootstrap);
        Self { config, flags: &arguments.table, refresh: false, validate: false, bootstrap, runs: None }
    }

    /// Whether the table is built and no file is read.
    pub(crate) const fn built_anew(&self) -> bool {
        self.flags.autofill_pc || self.refresh
    }

    /// Whether the bootstrap of a profile comes first. `phase_runs` is the number of runs if the phases of a plan state it.
    pub(crate) fn bootstrap(&self, profile: &Profile, phase_runs: Option<u64>) -> bool {
        // The bootstrap prepares the device for the runs that follow, so a single run has none.
        let is_single = self.runs.is_some_and(|runs| phase_runs.unwrap_or(runs) <= 1);
        !is_single && self.bootstrap.unwrap_or(profile.bootstrap.enabled)
    }

    /// The path of the table file: the one named, or the one beside the profile. The built-in device has none beside it.
    fn file(&self) -> Option<PathBuf> {
        let beside = || self.config.map(|profile| profile.with_file_name(DEFAULT_FILE));
        self.flags.op_state_probs.clone().or_else(beside)
    }

    /// The file that the table is to be written to, if it is.
    pub(crate) fn written_file(&self) -> Option<PathBuf> {
        self.file().filter(|_| self.refresh)
    }

    /// The text of the table file; `None` if no file is read.
    ///
    /// # Errors
    /// When a file that is named is not there, or cannot be read.
    pub(crate) fn text(&self) -> Result<Option<(SourceFile, Digest)>, Failure> {
        if let Some(path) = self.flags.op_state_probs.as_ref().filter(|path| !self.refresh && !path.exists()) {
            let problem = Problem::new(format!("the probability table `{}` is not there", shown(path))).about(path);
            let help = "check the path, or write a table there with --refresh-op-state-probs; without --op-state-probs the table beside the profile \
                        is loaded, or one is built if there is none";
            return Err(problem.help(help).into());
        }
        // A file that is named may be a pipe.
        let is_there = |path: &PathBuf| path.is_file() || (self.flags.op_state_probs.is_some() && path.exists());
        let file = self.file().filter(|path| !self.built_anew() && is_there(path));
        file.map(|path| inputs::text("the probability table", &path)).transpose()
    }
}

/// A table file to write.
#[derive(Debug)]
pub(crate) struct TableOutput {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// The text of the file.
    pub(crate) text: String,
}

impl ResolvedTable {
    /// Finds the table that the flags ask for. Notes and warnings are added to `remarks`.
    pub(crate) fn resolve(wanted: &WantedTable<'_>, profile: &Profile, remarks: &mut String) -> Result<Self, Failure> {
        let (flags, built_anew) = (wanted.flags, wanted.built_anew());
        let path = wanted.file();
        let (mut input, mut source) = (None, None);
        if let Some(path) = path.as_deref().filter(|_| !built_anew && flags.op_state_probs.is_none()) {
            remarks.push_str(&left_out(path));
        }
        let mut distributions = match wanted.text()? {
            Some((text, sha256)) => {
                let mut table = read(&text, profile, remarks)?;
                let read = Input { source: path.as_deref().map_or_else(String::new, recorded), sha256 };
                let changes = probability::override_loaded(profile, &mut table.entries);
                remarks.push_str(&overridden(&changes, &read.source, profile, wanted.validate));
                (input, source) = (Some(read), Some(text));
                table.entries
            }
            None if built_anew => probability::build(profile, flags.pc_seed),
            None => probability::of_profile(profile, flags.pc_seed),
        };
        let output = match (wanted.refresh, path) {
            (false, _) => None,
            (true, Some(path)) => {
                let text = files::write(&ProbabilityTable { entries: distributions.clone() }, profile);
                remarks.push_str(&replaced(&path, &text)?);
                Some(TableOutput { path, text })
            }
            (true, None) => {
                let problem = Problem::new("--refresh-op-state-probs has no file to write for the built-in device");
                return Err(problem.help("name it with --op-state-probs PATH").into());
            }
        };
        if wanted.validate {
            remarks.push_str(&validate(&distributions, profile, input.as_ref())?);
        }
        if let Some(demo) = flags.pc_demo {
            apply_demo(demo, profile, &mut distributions);
        }
        Ok(Self { distributions, input, source, output, demo: flags.pc_demo, built_anew, seed: flags.pc_seed })
    }

    /// Whether it is the table that the profile lists, neither read from another file nor built.
    pub(crate) fn is_of_profile(&self, profile: &Profile) -> bool {
        self.input.is_none() && !self.built_anew && !profile.probabilities.phase_conditional.is_empty()
    }

    /// The operations that a phase key proposes, with their masses.
    pub(crate) fn masses(&self, key: PhaseKey) -> &[(OpId, f64)] {
        let of = |wanted: PhaseKey| self.distributions.iter().find(|(known, _)| *known == wanted);
        of(key).or_else(|| of(PhaseKey::DEFAULT)).map_or(&[], |(_, entries)| entries)
    }

    /// The share of an operation among the proposals under a phase key, 0 to 1, before operations that are not eligible are left
    /// out.
    pub(crate) fn share(&self, key: PhaseKey, op: OpId) -> f64 {
        let entries = self.masses(key);
        let total: f64 = entries.iter().map(|(_, mass)| mass).sum();
        let own: f64 = entries.iter().filter(|(name, _)| *name == op).map(|(_, mass)| mass).sum();
        if total > 0.0 { own / total } else { 0.0 }
    }

    /// Whether some phase key gives an operation a weight.
    pub(crate) fn gives_weight(&self, op: OpId) -> bool {
        self.distributions.iter().any(|(_, entries)| entries.iter().any(|&(name, mass)| name == op && mass > 0.0))
    }

    /// Where it comes from, in words.
    pub(crate) fn described(&self, profile: &Profile) -> String {
        let source = match &self.input {
            Some(input) => format!("`{}`", input.source),
            None if self.is_of_profile(profile) => "as the profile lists it".to_owned(),
            None => format!("built from the profile with --pc-seed {}", self.seed),
        };
        let preset = self.demo.map(|demo| format!(", DEFAULT by --pc-demo {}", demo_name(demo)));
        source + &preset.unwrap_or_default()
    }

    /// Whether a preset replaces the distribution of DEFAULT.
    pub(crate) const fn has_preset(&self) -> bool {
        self.demo.is_some()
    }

    /// The flags that give this table again.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(demo) = self.demo {
            push(&mut all, "--pc-demo", demo_name(demo));
        }
        if let Some(input) = &self.input {
            push(&mut all, "--op-state-probs", &input.source);
        }
        if self.built_anew {
            all.push("--autofill-pc".to_owned());
        }
        push(&mut all, "--pc-seed", self.seed);
        all
    }
}

/// The warning about a file with another table that a built table replaces; empty if there is none.
///
/// # Errors
/// When the file is no table.
fn replaced(path: &Path, text: &str) -> Result<String, Failure> {
    // What these folders name is open already: it is written to and not replaced.
    let is_open = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    if is_open || !path.metadata().is_ok_and(|about| about.is_file() && about.len() > 0) {
        return Ok(String::new());
    }
    match inputs::text("the probability table", path) {
        Ok((source, _)) if &*source.text == text => Ok(String::new()),
        Ok((source, _)) if files::is_table(&source) => Ok(warning_text(&format!(
            "`{}` holds another table than the one that is built and replaces it",
            shown(path)
        ))),
        Ok(_) | Err(Failure::Faulty(_)) => {
            let message = format!("`{}` is a file without a probability table: writing would replace it", shown(path));
            Err(Problem::new(message)
                .help("write the table to another file with --op-state-probs, or move this one away")
                .into())
        }
        Err(failure) => Err(failure),
    }
}

fn read(source: &SourceFile, profile: &Profile, remarks: &mut String) -> Result<ProbabilityTable, Failure> {
    let (table, mut diagnostics) = files::read(source, profile);
    let Some(table) = table else { return Err(Failure::Faulty(Box::new((source.clone(), diagnostics)))) };
    // A table that was built has the same keys without names: nothing is allowed there.
    let built = probability::build(profile, probability::DEFAULT_TABLE_SEED);
    let has_names = |key: &PhaseKey| built.iter().any(|(known, names)| known == key && !names.is_empty());
    let is_worth_a_note = table.entries.iter().any(|(key, names)| names.is_empty() && has_names(key));
    if console::is_quiet() || !is_worth_a_note {
        diagnostics.retain_at_least(Severity::Warning);
    }
    remarks.push_str(&remarks_text(source, &diagnostics));
    Ok(table)
}

/// Number of masses that a note shows; `--validate-pc` shows all.
const SHOWN: usize = 3;

/// The note about masses of a loaded table that the profile's overrides have changed; empty if there are none.
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
    // With `--validate-pc` the list is shown in spite of `-q`.
    if all { remark_text(&text) } else { note_text(&text) }
}

/// A share as a percentage of at most four digits behind the point.
fn share_text(share: f64) -> String {
    let text = format!("{:.4}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Checks what the reader of a table does not: that every key proposes something, and that every mass is above zero. Returns a note
/// that says so.
fn validate(distributions: &Distributions, profile: &Profile, input: Option<&Input>) -> Result<String, Failure> {
    let name = input.map_or("the built table", |input| &input.source);
    let mut problems = Vec::new();
    for (key, entries) in distributions {
        let key = &profile.phase_keys[*key].name;
        if !entries.iter().any(|&(_, mass)| mass > 0.0) {
            let problem = Problem::new(format!("{name}: nothing can be proposed under the key `{key}`"));
            problems.push(
                problem.help(
                    "give an operation a mass above zero there; without --validate-pc the table is taken as it is",
                ),
            );
        }
        for (op, mass) in entries.iter().filter(|(_, mass)| !(mass.is_finite() && *mass > 0.0)) {
            let op = &profile.ops[*op].name;
            problems.push(Problem::new(format!("{name}: the mass {mass} of `{op}` under `{key}` is not above zero")));
        }
    }
    let keys = counted(distributions.len() as u64, "phase key");
    let note = format!(
        "--validate-pc: {name} has no fault, with {keys}; what was asked for is generated, unless --dry-run is added"
    );
    if problems.is_empty() { Ok(note_text(&note)) } else { Err(Failure::Unusable(problems)) }
}

fn apply_demo(demo: DemoFlag, profile: &Profile, distributions: &mut Distributions) {
    let preset = match demo {
        DemoFlag::EraseOnly => probability::Demo::EraseOnly,
        DemoFlag::Mix => probability::Demo::Mix,
        DemoFlag::PgmRead => probability::Demo::ProgramRead,
    };
    preset.apply(profile, distributions);
}

fn demo_name(demo: DemoFlag) -> &'static str {
    match demo {
        DemoFlag::EraseOnly => "erase-only",
        DemoFlag::Mix => "mix",
        DemoFlag::PgmRead => "pgm-read",
    }
}

/// Adds a flag with its value to arguments as a manifest records them.
pub(super) fn push(arguments: &mut Vec<String>, flag: &str, value: impl std::fmt::Display) {
    arguments.push(flag.to_owned());
    arguments.push(value.to_string());
}

/// The table that a profile gives.
pub(crate) fn of_profile(profile: &Profile) -> Distributions {
    probability::of_profile(profile, probability::DEFAULT_TABLE_SEED)
}
