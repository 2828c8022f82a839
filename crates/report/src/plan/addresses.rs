//! How the addresses of a plan were used: operations by region, and the greatest counts that limits limit.
//!
//! Limits count over the life of a site, so the runs of a site are counted one after another, from the first one that is there.

use nandseq_plan::model::{AddressEntry, NumberRanges, Region};
use nandseq_profile::model::{AddressSource, Base, Effect, PayloadField};
use nandseq_profile::{IdVec, OpId, Profile};
use rustc_hash::{FxHashMap, FxHashSet};

use super::history::WrittenOperation;

/// How far a limit was used.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LimitUse {
    /// The greatest count.
    pub most: u64,
    /// The uses that made a count exceed the limit while it was in force.
    pub beyond: u64,
}

impl LimitUse {
    fn note(&mut self, count: u64, limit: Option<u32>, is_in_force: bool) {
        self.most = self.most.max(count);
        self.beyond += u64::from(is_in_force && limit.is_some_and(|limit| count > limit.into()));
    }

    fn add(&mut self, other: Self) {
        self.most = self.most.max(other.most);
        self.beyond += other.beyond;
    }
}

/// How the addresses of an entry were used.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EntryCounts {
    /// The operations on addresses of each region, in runs in which the entry is in force. Those that draw an address count: an
    /// operation in two regions counts for both.
    pub regions: Vec<u64>,
    /// Such operations in no region of the entry.
    pub outside: u64,
    /// The most erases of a block.
    pub erases_per_block: LimitUse,
    /// The most reads of pages of a block.
    pub reads_per_block: LimitUse,
    /// The most reads of a page; 0 if the entry does not limit them.
    pub reads_per_page: LimitUse,
    /// The most blocks of the site that were partly programmed at the same time, whatever the regions.
    pub open_blocks: LimitUse,
}

impl EntryCounts {
    /// Adds the counts of other sites: sums of operations, the greatest counts of what is limited.
    pub fn add(&mut self, other: &Self) {
        self.regions.resize(self.regions.len().max(other.regions.len()), 0);
        self.regions.iter_mut().zip(&other.regions).for_each(|(sum, more)| *sum += more);
        self.outside += other.outside;
        self.erases_per_block.add(other.erases_per_block);
        self.reads_per_block.add(other.reads_per_block);
        self.reads_per_page.add(other.reads_per_page);
        self.open_blocks.add(other.open_blocks);
    }
}

/// What an operation does to the blocks of its targets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BlockWork {
    Nothing,
    Erase,
    ProgramPage,
    Close,
    /// Of a page of a one-shot program.
    Load,
    Read,
}

impl BlockWork {
    fn of(base: &Base) -> Self {
        let of = |effect: &Effect| match effect {
            Effect::Erase => Self::Erase,
            Effect::Program => Self::ProgramPage,
            Effect::CloseBlock => Self::Close,
            Effect::LoadLatch { .. } => Self::Load,
            // A recovery read reads no page of the array.
            Effect::FillRegisters { .. } | Effect::CacheRead(_) if base.address != AddressSource::SuspendedProgram => {
                Self::Read
            }
            Effect::FillRegisters { .. }
            | Effect::CacheRead(_)
            | Effect::ConsumeLatch { .. }
            | Effect::CacheReadEnd(_)
            | Effect::CacheProgramStart(_)
            | Effect::CacheProgramEnd(_)
            | Effect::DataOut
            | Effect::CopybackSource
            | Effect::Suspend(_)
            | Effect::Resume(_)
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::OdtDisable
            | Effect::OdtEnable
            | Effect::WriteProtectOn
            | Effect::WriteProtectOff
            | Effect::StatusRead
            | Effect::Delay => Self::Nothing,
        };
        let mut works = base.effects.iter().map(of).filter(|work| *work != Self::Nothing);
        let first = works.next().unwrap_or(Self::Nothing);
        if works.any(|work| work == Self::Close) { Self::Close } else { first }
    }
}

/// What is known of an operation of the profile.
#[derive(Clone, Copy, Debug)]
struct AddressFacts {
    /// Whether it draws an address if it is the first of a proposal.
    draws: bool,
    work: BlockWork,
}

/// A die and a block.
type DieBlock = (i64, i64);

/// The use of addresses by a site.
#[derive(Debug)]
pub(super) struct SiteAddresses<'p> {
    entries: &'p [AddressEntry],
    counts: Vec<EntryCounts>,
    facts: IdVec<OpId, AddressFacts>,
    planes: i64,
    last_page: i64,
    counts_pages: bool,
    erases: FxHashMap<DieBlock, u64>,
    reads: FxHashMap<DieBlock, u64>,
    page_reads: FxHashMap<(DieBlock, i64), u64>,
    /// The blocks that are partly programmed.
    partly: FxHashSet<DieBlock>,
}

impl<'p> SiteAddresses<'p> {
    pub(super) fn new(profile: &Profile, entries: &'p [AddressEntry]) -> Self {
        let facts = profile.ops.iter().map(|op| {
            let base = &profile.bases[op.base];
            let draws = match base.address {
                AddressSource::AnyBlock | AddressSource::NextPage | AddressSource::ReadablePage => true,
                AddressSource::None
                | AddressSource::Hook
                | AddressSource::OutputRegister
                | AddressSource::PageRegister
                | AddressSource::SuspendedProgram
                | AddressSource::OneShotLatch
                | AddressSource::CopybackLatch => false,
            };
            AddressFacts { draws, work: BlockWork::of(base) }
        });
        let counts =
            |entry: &AddressEntry| EntryCounts { regions: vec![0; entry.regions.len()], ..EntryCounts::default() };
        Self {
            entries,
            counts: entries.iter().map(counts).collect(),
            facts: facts.collect(),
            planes: profile.topology.planes.into(),
            last_page: i64::from(profile.topology.pages_per_block) - 1,
            counts_pages: entries.iter().any(|entry| entry.limits.reads_per_page.is_some()),
            erases: FxHashMap::default(),
            reads: FxHashMap::default(),
            page_reads: FxHashMap::default(),
            partly: FxHashSet::default(),
        }
    }

    /// Counts an operation. `in_force` has the entries that are in force.
    pub(super) fn add(&mut self, operation: &WrittenOperation, in_force: &[usize]) {
        let AddressFacts { draws, work } = self.facts[operation.op];
        if draws {
            for &at in in_force {
                let (entry, counts) = (&self.entries[at], &mut self.counts[at]);
                let mut is_outside = true;
                for (region, count) in entry.regions.iter().zip(&mut counts.regions) {
                    let fits = operation.targets.iter().all(|target| {
                        holds(region, (target.die, target.block), self.planes)
                            && (work == BlockWork::Erase || is_in(&region.pages, target.page))
                    });
                    *count += u64::from(fits);
                    is_outside &= !fits;
                }
                counts.outside += u64::from(is_outside && !entry.regions.is_empty());
            }
        }
        for target in operation.targets.iter().filter(|target| target.fields.contains(PayloadField::Block)) {
            self.work(work, (target.die, target.block), target.page, in_force);
        }
    }

    fn work(&mut self, work: BlockWork, block: DieBlock, page: i64, in_force: &[usize]) {
        let one_more = |count: &mut u64| {
            *count += 1;
            *count
        };
        match work {
            BlockWork::Nothing | BlockWork::Load => {}
            BlockWork::Erase => {
                let count = one_more(self.erases.entry(block).or_default());
                self.each_entry_of(block, None, |at, entry, counts| {
                    counts.erases_per_block.note(count, entry.limits.erases_per_block, in_force.contains(&at));
                });
                self.partly.remove(&block);
            }
            BlockWork::Read => {
                let count = one_more(self.reads.entry(block).or_default());
                self.each_entry_of(block, None, |at, entry, counts| {
                    counts.reads_per_block.note(count, entry.limits.reads_per_block, in_force.contains(&at));
                });
                if self.counts_pages {
                    let count = one_more(self.page_reads.entry((block, page)).or_default());
                    self.each_entry_of(block, Some(page), |at, entry, counts| {
                        counts.reads_per_page.note(count, entry.limits.reads_per_page, in_force.contains(&at));
                    });
                }
            }
            BlockWork::ProgramPage if page < self.last_page => {
                if self.partly.insert(block) {
                    let count = self.partly.len() as u64;
                    for (at, (entry, counts)) in self.entries.iter().zip(&mut self.counts).enumerate() {
                        counts.open_blocks.note(count, entry.limits.open_blocks, in_force.contains(&at));
                    }
                }
            }
            BlockWork::ProgramPage | BlockWork::Close => {
                self.partly.remove(&block);
            }
        }
    }

    /// Notes that a reset has cut operations. Their blocks, those of loads included, are no longer partly programmed: they must be erased.
    pub(super) fn cut(&mut self, operation: &WrittenOperation) {
        match self.facts[operation.op].work {
            BlockWork::Erase | BlockWork::ProgramPage | BlockWork::Close | BlockWork::Load => {
                for target in &operation.targets {
                    self.partly.remove(&(target.die, target.block));
                }
            }
            BlockWork::Nothing | BlockWork::Read => {}
        }
    }

    /// Changes the counts of the entries whose regions have a block and, if it is given, a page.
    fn each_entry_of(
        &mut self,
        block: DieBlock,
        page: Option<i64>,
        mut change: impl FnMut(usize, &AddressEntry, &mut EntryCounts),
    ) {
        for (at, (entry, counts)) in self.entries.iter().zip(&mut self.counts).enumerate() {
            let has = |region: &Region| {
                holds(region, block, self.planes) && page.is_none_or(|page| is_in(&region.pages, page))
            };
            if entry.regions.is_empty() || entry.regions.iter().any(has) {
                change(at, entry, counts);
            }
        }
    }

    /// The counts of the entries, in order.
    pub(super) fn finish(self) -> Vec<EntryCounts> {
        self.counts
    }
}

fn holds(region: &Region, (die, block): DieBlock, planes: i64) -> bool {
    is_in(&region.dies, die) && is_in(&region.planes, block % planes) && is_in(&region.blocks, block)
}

fn is_in(numbers: &NumberRanges, number: i64) -> bool {
    u32::try_from(number).is_ok_and(|number| numbers.contains(number))
}
