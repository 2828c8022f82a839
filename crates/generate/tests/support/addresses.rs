//! Plans with addresses, and an independent look at what starts under them.

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::{Setup, probability};
use nandseq_plan::TestPlan;
use nandseq_plan::model::{AddressEntry, Region};
use nandseq_profile::model::{AddressSource, ArrayWork, Effect};
use nandseq_profile::{OpId, Profile, SourceFile, Target, Ticks};
use nandseq_trace::{Cut, Operation, Sink};
use nandseq_verify::Verifier;

/// A plan from its text.
pub(crate) fn plan(profile: &Profile, text: &str) -> TestPlan {
    let text = format!("schema: 1\n{text}");
    let source = SourceFile::new("plan.yaml", text);
    let (plan, diagnostics) = nandseq_plan::read(&source, profile, &[]);
    plan.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// A setup with some entries of a plan in force; `None` if it has nothing to propose.
pub(crate) fn setup(profile: &Profile, plan: &TestPlan, in_force: &[usize]) -> Option<Setup> {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    Some(Setup::new(profile, &table, &[]).ok()?.with_addresses(&plan.addresses, in_force))
}

/// What an operation does to the array, as the profile says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    Erase,
    Program,
    Read,
}

pub(crate) fn work_of(profile: &Profile, op: OpId) -> Option<Work> {
    let base = &profile.bases[profile.ops[op].base];
    let does = |work: ArrayWork| base.effects.iter().any(|effect| effect.properties().array_work == Some(work));
    if does(ArrayWork::Erase) {
        Some(Work::Erase)
    } else if does(ArrayWork::Commit) || does(ArrayWork::Load) {
        Some(Work::Program)
    } else if does(ArrayWork::Read) && base.address != AddressSource::SuspendedProgram {
        Some(Work::Read)
    } else {
        None
    }
}

pub(crate) fn has_block(region: &Region, target: &Target) -> bool {
    region.dies.contains(target.die.0.into())
        && region.planes.contains(target.plane.0.into())
        && region.blocks.contains(target.block.0)
}

pub(crate) fn has_page(region: &Region, target: &Target) -> bool {
    has_block(region, target) && region.pages.contains(target.page.0.into())
}

/// Counts what starts by block and page, over all runs of a site, and hands it to the verifier.
pub(crate) struct Watch<'p> {
    profile: &'p Profile,
    verifier: Verifier<'p>,
    pub(crate) erases: BTreeMap<(u8, u32), u32>,
    pub(crate) reads: BTreeMap<(u8, u32), u32>,
    pub(crate) page_reads: BTreeMap<(u8, u32, u16), u32>,
    pub(crate) programs: u64,
    pub(crate) operations: u64,
    /// The pages of blocks that are partly programmed, by the operations that have started, and the most of these blocks at a time.
    partly: BTreeMap<(u8, u32), u32>,
    pub(crate) most_open: usize,
    /// The blocks of the programs so far, by operation.
    programmed: BTreeMap<u64, Vec<(u8, u32)>>,
    /// The regions of which one has to have every address that is worked on.
    pub(crate) regions: Vec<Region>,
    /// Addresses in none of them.
    pub(crate) outside: Vec<(Work, Target)>,
}

impl<'p> Watch<'p> {
    pub(crate) fn new(profile: &'p Profile) -> Self {
        Self {
            profile,
            verifier: Verifier::new(profile, &[]),
            erases: BTreeMap::new(),
            reads: BTreeMap::new(),
            page_reads: BTreeMap::new(),
            programs: 0,
            operations: 0,
            partly: BTreeMap::new(),
            most_open: 0,
            programmed: BTreeMap::new(),
            regions: Vec::new(),
            outside: Vec::new(),
        }
    }

    /// The greatest count of the blocks and pages of an entry, in the order of its limits.
    pub(crate) fn greatest(&self, entry: &AddressEntry) -> [u32; 3] {
        let has = |die: u8, block: u32, page: Option<u16>| {
            let target = Target {
                die: nandseq_profile::Die(die),
                plane: nandseq_profile::Plane((block % self.profile.topology.planes) as u8),
                block: nandseq_profile::Block(block),
                page: nandseq_profile::Page(page.unwrap_or(0)),
                ..Target::default()
            };
            let has =
                |region: &Region| if page.is_some() { has_page(region, &target) } else { has_block(region, &target) };
            entry.regions.is_empty() || entry.regions.iter().any(has)
        };
        let of_blocks = |counts: &BTreeMap<(u8, u32), u32>| {
            let own = counts.iter().filter(|&(&(die, block), _)| has(die, block, None));
            own.map(|(_, count)| *count).max().unwrap_or(0)
        };
        let pages = self.page_reads.iter().filter(|&(&(die, block, page), _)| has(die, block, Some(page)));
        [of_blocks(&self.erases), of_blocks(&self.reads), pages.map(|(_, count)| *count).max().unwrap_or(0)]
    }

    /// Ends a run: the verifier has found nothing.
    pub(crate) fn end_run(&mut self) {
        self.verifier.end_of_file();
        assert!(self.verifier.is_clean(), "{}", self.profile.name);
    }
}

impl Watch<'_> {
    /// Notes the start of an operation that programs a page of a block, or loads one for it.
    fn program(&mut self, operation: &Operation<'_>, block: (u8, u32), target: &Target) {
        self.programmed.entry(operation.uid).or_default().push(block);
        let effects = &self.profile.bases[self.profile.ops[operation.op].base].effects;
        if !effects.iter().any(|effect| effect.properties().array_work == Some(ArrayWork::Commit)) {
            return;
        }
        let pages = u32::from(target.page.0) + 1;
        if pages == self.profile.topology.pages_per_block || effects.contains(&Effect::CloseBlock) {
            self.partly.remove(&block);
        } else {
            self.partly.insert(block, pages);
        }
        self.most_open = self.most_open.max(self.partly.len());
    }
}

impl Sink for Watch<'_> {
    fn cut(&mut self, uid: u64, _: Ticks, cut: Cut) -> io::Result<()> {
        // The blocks of a program that a reset cuts must be erased before anything else.
        let blocks = self.programmed.get(&uid).filter(|_| cut == Cut::Reset);
        blocks.into_iter().flatten().for_each(|block| {
            self.partly.remove(block);
        });
        Ok(())
    }

    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.operations += 1;
        self.verifier.operation(operation);
        let Some(work) = work_of(self.profile, operation.op) else { return Ok(()) };
        for target in operation.targets {
            let (block, page) = ((target.die.0, target.block.0), (target.die.0, target.block.0, target.page.0));
            match work {
                Work::Erase => {
                    *self.erases.entry(block).or_default() += 1;
                    self.partly.remove(&block);
                }
                Work::Program => {
                    self.programs += 1;
                    self.program(operation, block, target);
                }
                Work::Read => {
                    *self.reads.entry(block).or_default() += 1;
                    *self.page_reads.entry(page).or_default() += 1;
                }
            }
            let has = |region: &Region| {
                if work == Work::Erase { has_block(region, target) } else { has_page(region, target) }
            };
            if !self.regions.is_empty() && !self.regions.iter().any(has) {
                self.outside.push((work, *target));
            }
        }
        Ok(())
    }
}
