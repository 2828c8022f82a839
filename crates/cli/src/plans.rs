//! `nandseqgen plan …`: check, show, new, schema.

mod shown;

use nandseq_plan::TestPlan;
use nandseq_profile::diagnostic::{Styling, counted};
use nandseq_profile::{Diagnostics, Severity, SourceFile};
use nandseq_reach::Start;
use nandseq_trace::manifest::{Input, ProfileInput};
use serde::Serialize;

use self::shown::ShownPlan;
use crate::arguments::{PlanArgs, PlanCommand, ReportFormat};
use crate::failure::{Failure, remarks_text};
use crate::in_force::InForce;
use crate::inputs::{self, ReadPlan};
use crate::json::{self, Of};
use crate::profiles::{Remark, remarks};
use crate::{console, impossible, terminal};

/// Runs a subcommand of `plan`.
pub(crate) fn run(command: &PlanCommand) -> Result<(), Failure> {
    match command {
        PlanCommand::Check(arguments) => check(arguments),
        PlanCommand::Show(arguments) => show(arguments),
        PlanCommand::New => terminal::print(nandseq_plan::EXAMPLE),
        PlanCommand::Schema => terminal::print(&nandseq_plan::schema::json()),
    }
}

fn in_force(arguments: &PlanArgs) -> Result<InForce, Failure> {
    let mut remarks = String::new();
    let in_force = InForce::of_flags(&arguments.in_force, None, &mut remarks);
    crate::tell(&remarks);
    in_force
}

fn check(arguments: &PlanArgs) -> Result<(), Failure> {
    let in_force = in_force(arguments)?;
    let is_json = arguments.format == ReportFormat::Json;
    let read = match inputs::plan(&arguments.path, &in_force.profile, &in_force.source) {
        Err(Failure::Faulty(faulty)) => {
            if is_json {
                json::print(&Of::command("plan check", &CheckedPlan::new(&faulty.0, &faulty.1, &in_force)))?;
            }
            // All findings are shown, not only errors: this command is for looking at the whole of a file.
            crate::tell(&remarks_text(&faulty.0, &faulty.1));
            return Err(Failure::Unusable(Vec::new()));
        }
        outcome => outcome?,
    };
    let ReadPlan { plan, source, input, remarks: mut about } = read;
    // Whether the bootstrap comes first depends on the flags of `generate`.
    let bootstrap = in_force.bootstrap || in_force.profile.bootstrap.enabled;
    about.append(impossible::warnings(&plan, &source, &in_force.profile, Start { bootstrap, ..in_force.start() }));
    about.sort();
    if is_json {
        let mut checked = CheckedPlan::new(&source, &about, &in_force);
        checked.plan = Some(&input);
        return json::print(&Of::command("plan check", &checked));
    }
    if console::is_quiet() {
        about.retain_at_least(Severity::Warning);
    }
    let mut text = about.render(&source, Styling::Coloured);
    if !console::is_quiet() {
        text.push_str(&format!("{} can be used on {}: {}\n", source.name, in_force.profile.name, contents(&plan)));
    }
    terminal::print(&text)
}

/// What a plan has, in a few words.
fn contents(plan: &TestPlan) -> String {
    let phases = || format!("{} with {}", counted(plan.phases.len() as u64, "phase"), counted(plan.runs(), "run"));
    let parts = [
        (!plan.phases.is_empty()).then(phases),
        (!plan.mix.is_empty()).then(|| counted(plan.mix.len() as u64, "share")),
        (!plan.addresses.is_empty()).then(|| format!("{} of addresses", counted(plan.addresses.len() as u64, "set"))),
        (!plan.scenarios.is_empty()).then(|| counted(plan.scenarios.len() as u64, "scenario")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "it states nothing".to_owned() } else { parts.join(", ") }
}

/// The answer of `plan check` as JSON.
#[derive(Serialize)]
struct CheckedPlan<'c> {
    schema: u32,
    /// Whether the plan can be used.
    usable: bool,
    /// Errors, warnings and notes, in order of their places.
    remarks: Vec<Remark<'c>>,
    /// `null` if the plan cannot be used.
    plan: Option<&'c Input>,
    profile: &'c ProfileInput,
}

impl<'c> CheckedPlan<'c> {
    fn new(source: &'c SourceFile, about: &'c Diagnostics, in_force: &'c InForce) -> Self {
        let (usable, remarks) = (!about.has_errors(), remarks(source, about));
        Self { schema: 1, usable, remarks, plan: None, profile: &in_force.profile_input }
    }
}

fn show(arguments: &PlanArgs) -> Result<(), Failure> {
    let in_force = in_force(arguments)?;
    let read = inputs::plan(&arguments.path, &in_force.profile, &in_force.source)?;
    crate::tell(&remarks_text(&read.source, &read.remarks));
    let shown = ShownPlan::new(&read, &in_force.profile);
    match arguments.format {
        ReportFormat::Json => json::print(&Of::command("plan show", &shown)),
        ReportFormat::Text => terminal::print(&shown.text()),
    }
}
