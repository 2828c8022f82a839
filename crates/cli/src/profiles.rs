//! `nandseqgen profile …`: check, import, show, new, list, schema.

use nandseq_profile::diagnostic::{Styling, counted};
use nandseq_profile::{Diagnostic, Diagnostics, Severity, SourceFile, builtin};
use nandseq_trace::manifest::{Input, ProfileInput};
use serde::Serialize;

use crate::arguments::{CheckArgs, ProfileArgs, ProfileCommand, ReportFormat};
use crate::campaign::table::WantedTable;
use crate::failure::{Failure, Problem, remarks_text};
use crate::in_force::InForce;
use crate::placed_problem::word;
use crate::reach::{self, PairFindings, PairListing};
use crate::{console, inputs, json, profile_list, terminal, warnings};

/// Runs a subcommand of `profile`.
pub(crate) fn run(command: &ProfileCommand) -> Result<(), Failure> {
    match command {
        ProfileCommand::Check(arguments) => check(arguments),
        ProfileCommand::Import(arguments) => match &arguments.path {
            Some(_) => show(arguments),
            None => Err(Problem::new("there is nothing to import").help("nandseqgen profile import PATH").into()),
        },
        ProfileCommand::Show(arguments) => show(arguments),
        ProfileCommand::New => terminal::print(builtin::template()),
        ProfileCommand::List(arguments) => profile_list::run(arguments),
        ProfileCommand::Schema => terminal::print(&nandseq_profile::native::schema::json()),
    }
}

fn check(arguments: &CheckArgs) -> Result<(), Failure> {
    let mut in_force = arguments.in_force.clone();
    if arguments.path.is_some() {
        in_force.device.config.clone_from(&arguments.path);
    }
    let device = &in_force.device;
    let read = match inputs::profile(device.config.as_deref(), device.lenient) {
        Err(Failure::Faulty(faulty)) => {
            if arguments.format == ReportFormat::Json {
                json::print(&Checked::new(&faulty.0, &faulty.1))?;
            }
            // All findings are shown, not only errors: this command is for looking at the whole of a file.
            crate::tell(&remarks_text(&faulty.0, &faulty.1));
            return Err(Failure::Unusable(Vec::new()));
        }
        outcome => outcome?,
    };
    let mut remarks = String::new();
    let in_force =
        InForce::of_profile(read, (device, &in_force.table, None), &WantedTable::of_flags(&in_force), &mut remarks);
    crate::tell(&remarks);
    let in_force = in_force?;
    let profile = &in_force.profile;
    let mut about = warnings::all(&in_force.about_profile, profile);
    let found = reach::look(&in_force, &PairListing { pairs: arguments.pairs, ops: &arguments.op })?;
    if arguments.format == ReportFormat::Json {
        let mut checked = Checked::new(&in_force.source, &about);
        checked.device = Some(CheckedDevice {
            profile: &in_force.profile_input,
            probabilities: in_force.table.input.as_ref(),
            badlist: in_force.badlist_input.as_ref(),
            bases: profile.bases.len(),
            op_names: profile.ops.len(),
            phase_keys: profile.phase_keys.len(),
        });
        checked.pairs = Some(&found);
        return json::print(&checked);
    }
    found.warnings().for_each(|warning| about.push(warning));
    about.sort();
    if console::is_verbose() {
        about.name_all();
    }
    if console::is_quiet() {
        about.retain_at_least(Severity::Warning);
    }
    let mut text = about.render(&in_force.source, Styling::Coloured);
    if !console::is_quiet() {
        text.push_str(&format!(
            "{} can be used: {}, {}, {}\n",
            in_force.source.name,
            counted(profile.bases.len() as u64, "base"),
            counted(profile.ops.len() as u64, "op name"),
            counted(profile.phase_keys.len() as u64, "phase key")
        ));
        text.push_str(&in_force.described());
    }
    text.push_str(&found.text(!console::is_quiet()));
    terminal::print(&text)
}

/// The answer of `profile check` as JSON.
#[derive(Serialize)]
struct Checked<'c> {
    schema: u32,
    command: &'static str,
    version: &'static str,
    /// Whether the profile can be used.
    usable: bool,
    /// Errors, warnings and notes, in order of their places.
    remarks: Vec<Remark<'c>>,
    device: Option<CheckedDevice<'c>>,
    pairs: Option<&'c PairFindings>,
}

/// A finding about a file.
#[derive(Serialize)]
pub(crate) struct Remark<'c> {
    severity: &'static str,
    code: &'static str,
    message: &'c str,
    file: &'c str,
    /// From 1; `null` if the finding is about the whole file.
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'c str>,
    /// All that it is about by name, where the message may name the first few alone.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    names: &'c [String],
}

/// The findings about a file.
pub(crate) fn remarks<'c>(source: &'c SourceFile, about: &'c Diagnostics) -> Vec<Remark<'c>> {
    let remark = |one: &'c Diagnostic| {
        let place = one.primary.as_ref().map(|label| label.span);
        Remark {
            severity: word(one.severity),
            code: one.code,
            message: &one.message,
            file: &source.name,
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            help: one.help.as_deref(),
            names: &one.names,
        }
    };
    about.iter().map(remark).collect()
}

/// A profile that can be used, with its table and its list of bad blocks.
#[derive(Serialize)]
struct CheckedDevice<'c> {
    profile: &'c ProfileInput,
    probabilities: Option<&'c Input>,
    badlist: Option<&'c Input>,
    bases: usize,
    op_names: usize,
    phase_keys: usize,
}

impl<'c> Checked<'c> {
    fn new(source: &'c SourceFile, about: &'c Diagnostics) -> Self {
        Self {
            schema: 1,
            command: "profile check",
            version: env!("CARGO_PKG_VERSION"),
            usable: !about.has_errors(),
            remarks: remarks(source, about),
            device: None,
            pairs: None,
        }
    }
}

fn show(arguments: &ProfileArgs) -> Result<(), Failure> {
    let read = inputs::profile(arguments.path.as_deref(), arguments.lenient)?;
    crate::tell(&remarks_text(&read.source, &read.remarks));
    match arguments.path {
        // The built-in device is shown as it was written, comments and all.
        None => terminal::print(&read.source.text),
        Some(_) => terminal::print(&nandseq_profile::native::write(&read.profile)),
    }
}
