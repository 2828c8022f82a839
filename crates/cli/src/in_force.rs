//! The inputs in force for a command: the profile, the bad blocks and the probability table that its flags select.
//!
//! Every command finds the same inputs as `generate` with the same flags. This includes files that no flag names: a table beside
//! the profile, a list of bad blocks in the current folder.

use std::path::Path;

use nandseq_profile::diagnostic::grouped;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Block, Diagnostics, Die, Profile, SourceFile};
use nandseq_reach::Start;
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{Input, ProfileInput};
use nandseq_trace::recorded::recorded;

use crate::arguments::GenerateArgs;
use crate::arguments::in_force::{DeviceArgs, InForceArgs, TableArgs};
use crate::campaign::table::{ResolvedTable, WantedTable};
use crate::failure::{Failure, both, remarks_text};
use crate::hint::FlagsInForce;
use crate::inputs::{self, ReadProfile, left_out};
use crate::test_plan::PlanInForce;
use crate::{badlist, impossible, target, warnings};

/// The list of bad blocks that is read if no flag names one.
const DEFAULT_BADLIST: &str = "badlist.csv";

/// Which campaigns begin with the bootstrap, in words.
pub(crate) const BOOTSTRAP_OF: &str = "only with two or more runs";

/// The inputs in force for a command.
#[derive(Debug)]
pub(crate) struct InForce {
    /// The profile with the changes that flags make.
    pub(crate) profile: Profile,
    /// The profile as its file states it.
    pub(crate) stated: Profile,
    /// The text of the profile.
    pub(crate) source: SourceFile,
    /// Where the profile comes from.
    pub(crate) profile_input: ProfileInput,
    /// Findings about the profile while it was read.
    pub(crate) about_profile: Diagnostics,
    pub(crate) table: ResolvedTable,
    pub(crate) bad_blocks: Vec<(Die, Block)>,
    /// The list that the bad blocks are from.
    pub(crate) badlist_input: Option<Input>,
    /// The test plan, if there is one. If its phases have masses of their own, `table` is the average of their tables.
    pub(crate) plan: Option<PlanInForce>,
    /// Whether the profile's bootstrap comes first.
    pub(crate) bootstrap: bool,
    /// The flags that give another command the same inputs.
    pub(crate) flags: FlagsInForce,
}

/// The flags that select the device, the probabilities and the test plan.
pub(crate) type FlagsOfInputs<'a> = (&'a DeviceArgs, &'a TableArgs, Option<&'a Path>);

impl InForce {
    /// The inputs of `generate`. Notes and warnings are added to `remarks`. A profile that is `known` is not read again.
    ///
    /// # Errors
    /// Every input that cannot be read or is faulty.
    pub(crate) fn of_generate(
        arguments: &GenerateArgs,
        known: Option<&ReadProfile>,
        remarks: &mut String,
    ) -> Result<Self, Failure> {
        let (device, wanted) = (&arguments.device, WantedTable::of_generate(arguments));
        let plan = arguments.extent.plan.as_deref();
        if let Some(table) = wanted.written_file() {
            let inputs = device.config.as_deref().into_iter().chain(badlist(device));
            target::check(&table, "--op-state-probs", inputs.chain(plan).chain(arguments.start.resume.as_deref()))?;
        }
        let expectations = arguments.output.expectations();
        Self::read(known, (device, &arguments.table, plan), &wanted, expectations, remarks)
    }

    /// The inputs of a command that looks at a device, and perhaps at a test plan for it.
    ///
    /// # Errors
    /// As [`Self::of_generate`].
    pub(crate) fn of_flags(
        arguments: &InForceArgs,
        plan: Option<&Path>,
        remarks: &mut String,
    ) -> Result<Self, Failure> {
        let flags = (&arguments.device, &arguments.table, plan);
        Self::read(None, flags, &WantedTable::of_flags(arguments), Expectations::default(), remarks)
    }

    fn read(
        known: Option<&ReadProfile>,
        flags: FlagsOfInputs<'_>,
        wanted: &WantedTable<'_>,
        expectations: Expectations,
        remarks: &mut String,
    ) -> Result<Self, Failure> {
        let mut read = match known {
            Some(known) => known.clone(),
            None => inputs::profile(flags.0.config.as_deref(), flags.0.lenient)
                .map_err(|failure| failure.and(others_are_readable(flags.0, wanted)))?,
        };
        read.expect(expectations);
        let check = FlagsInForce::new(flags.0, flags.1, wanted.built_anew()).check();
        remarks.push_str(&warnings::of_profile(&read, &check));
        Self::of_profile(read, flags, wanted, remarks)
    }

    /// The inputs for a profile that has been read already.
    ///
    /// # Errors
    /// As [`Self::of_generate`].
    pub(crate) fn of_profile(
        read: ReadProfile,
        (device, table_flags, plan): FlagsOfInputs<'_>,
        wanted: &WantedTable<'_>,
        remarks: &mut String,
    ) -> Result<Self, Failure> {
        let stated = read.stated().clone();
        let ReadProfile { mut profile, source, input: profile_input, remarks: about_profile, .. } = read;
        let badlist = read_badlist(device, &profile, remarks);
        profile.policies.admission_window = device.admission_window.unwrap_or(stated.policies.admission_window);
        let table = ResolvedTable::resolve(wanted, &profile, remarks);
        let read_plan = plan.map(|path| PlanInForce::read(path, (&profile, &source), remarks)).transpose();
        let ((badlist, mut table), mut read_plan) = both(both(badlist, table), read_plan)?;
        if let Some(plan) = &mut read_plan {
            plan.take_table(&profile, &mut table.distributions);
        }
        let bootstrap = wanted.bootstrap(&profile, read_plan.as_ref().and_then(PlanInForce::runs));
        let other = (bootstrap != profile.bootstrap.enabled).then_some(bootstrap);
        let flags = FlagsInForce::new(device, table_flags, wanted.built_anew()).bootstrap(other).plan(plan);
        let (bad_blocks, badlist_input) = badlist.map_or((Vec::new(), None), |(blocks, input)| (blocks, Some(input)));
        if let Some(PlanInForce { plan, source, .. }) = &read_plan {
            let impossible = impossible::warnings(
                plan,
                source,
                &profile,
                Start { bad_blocks: &bad_blocks, bootstrap, ..Start::default() },
            );
            remarks.push_str(&remarks_text(source, &impossible));
        }
        Ok(Self {
            profile,
            stated,
            source,
            profile_input,
            about_profile,
            table,
            bad_blocks,
            badlist_input,
            plan: read_plan,
            bootstrap,
            flags,
        })
    }
}

impl InForce {
    /// The bootstrap and the bad blocks that the device starts with.
    pub(crate) fn start(&self) -> Start<'_> {
        Start { bad_blocks: &self.bad_blocks, bootstrap: self.bootstrap, ..Start::default() }
    }

    /// The same with what the plan lets start beside the weights, and what it keeps from starting.
    pub(crate) fn start_of_plan(&self) -> Start<'_> {
        let Some(plan) = &self.plan else { return self.start() };
        let reach = plan.reach(&self.profile, self.start());
        Start { scripted: &reach.scripted, unserved: &reach.unserved, ..self.start() }
    }

    /// The table, the bootstrap and the bad blocks, one line each.
    pub(crate) fn described(&self) -> String {
        let bootstrap = if self.bootstrap {
            format!("The bootstrap comes first ({BOOTSTRAP_OF}): this shows what can follow it.\n")
        } else {
            String::new()
        };
        let table = format!("Table: {}.\n{bootstrap}", self.table.described(&self.profile));
        let bad =
            |list: &Input| format!("Bad blocks: {} of `{}`.\n", grouped(self.bad_blocks.len() as u64), list.source);
        let average = self.plan.as_ref().filter(|plan| plan.table(0).is_some());
        let average = average.map_or_else(String::new, |plan| {
            format!(
                "Plan: `{}`; its phases have tables of their own, and this looks at their average.\n",
                plan.input.source
            )
        });
        table + &average + &self.badlist_input.as_ref().map_or_else(String::new, bad)
    }
}

/// Bad blocks and the file they are from.
type ListedBlocks = (Vec<(Die, Block)>, Input);

/// The path of the list of bad blocks, if one is read.
fn badlist(device: &DeviceArgs) -> Option<&Path> {
    let found = || Some(Path::new(DEFAULT_BADLIST)).filter(|path| !device.only_named && path.is_file());
    device.badlist.as_deref().or_else(found)
}

/// The text of a list of bad blocks.
fn badlist_text(path: &Path) -> Result<(SourceFile, Digest), Failure> {
    inputs::text("the list of bad blocks", path)
}

/// If the profile cannot be used: checks that the other inputs exist and can be read.
pub(crate) fn others_are_readable(device: &DeviceArgs, wanted: &WantedTable<'_>) -> Result<(), Failure> {
    both(badlist(device).map(badlist_text).transpose(), wanted.text()).map(drop)
}

/// The bad blocks, if there is a list of them.
fn read_badlist(device: &DeviceArgs, profile: &Profile, remarks: &mut String) -> Result<Option<ListedBlocks>, Failure> {
    let Some(path) = badlist(device) else {
        if !device.only_named {
            remarks.push_str(&left_out(Path::new(DEFAULT_BADLIST)));
        }
        return Ok(None);
    };
    let (source, sha256) = badlist_text(path)?;
    let input = Input { source: recorded(path), sha256 };
    match badlist::read(&source, profile.topology) {
        Ok(blocks) => Ok(Some((blocks, input))),
        Err(wrong) => Err(Failure::Faulty(Box::new((source, wrong)))),
    }
}
