//! The operations of a site up to the run that fails, as they were written, and how they belong together.
//!
//! [`HistoryReader`] takes the rows of a site from its first run on and carries them out on a device, each at its time. A row that a rule
//! forbids is an error: what is shrunk must be legal. [`SequenceHistory`] keeps every operation with its place and start, the
//! [unit](crate::links) that it belongs to, and which operations erased or programmed each block.

use nandseq_device::{Device, Place, Reach, Rule, Tables};
use nandseq_input::Row;
use nandseq_profile::{Block, Die, OpId, Page, Plane, Profile, Target, Ticks};
use rustc_hash::FxHashMap;

use crate::links::Links;
use crate::player::Player;

/// An operation of the history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryOperation {
    /// The op name.
    pub op: OpId,
    /// Its address.
    pub place: Place,
    /// When it started.
    pub start: Ticks,
    /// Its number within the site.
    pub uid: u64,
    /// The number of its run.
    pub run: u64,
    /// Its row in the sequence of the run, from 1.
    pub row: u64,
}

/// Why rows are no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A row is not one of an operation of the device.
    #[error("run {run}, row {row}: {what}")]
    Row {
        /// The number of the run.
        run: u64,
        /// The number of the row.
        row: u64,
        /// What is wrong with the row.
        what: String,
    },
    /// An operation breaks a rule.
    #[error("run {run}, row {row}: {name} breaks the rule `{}`", rule.code())]
    Forbidden {
        /// The number of the run.
        run: u64,
        /// The number of the row.
        row: u64,
        /// The op name.
        name: String,
        /// The rule.
        rule: Rule,
    },
}

/// The operations of a site up to the run that fails.
#[derive(Debug)]
pub struct SequenceHistory<'t> {
    pub(crate) tables: &'t Tables,
    /// The device before its first operation.
    pub(crate) fresh: Device,
    /// The operations in order.
    pub(crate) past: Vec<HistoryOperation>,
    /// The unit of each operation.
    pub(crate) unit: Vec<u32>,
    /// The operations in order of their units.
    pub(crate) by_unit: Vec<u32>,
    /// By block the operations that erased, programmed or closed it, in order.
    pub(crate) of_block: FxHashMap<(Die, Block), Vec<u32>>,
    /// By reset the operations whose blocks it left unerased.
    pub(crate) aborted: FxHashMap<u32, Vec<u32>>,
}

impl SequenceHistory<'_> {
    /// The operations in order.
    #[must_use]
    pub fn operations(&self) -> &[HistoryOperation] {
        &self.past
    }

    /// The position of an operation, by its number within the site.
    #[must_use]
    pub fn position(&self, uid: u64) -> Option<u32> {
        self.past.iter().position(|past| past.uid == uid).map(|at| at as u32)
    }

    /// The operations of the unit of an operation, in order.
    pub(crate) fn unit_of(&self, item: u32) -> &[u32] {
        let unit = self.unit[item as usize];
        let first = self.by_unit.partition_point(|other| self.unit[*other as usize] < unit);
        let count = self.by_unit[first..].partition_point(|other| self.unit[*other as usize] == unit);
        &self.by_unit[first..first + count]
    }

    /// The compiled profile.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        self.tables
    }
}

/// Makes a [`SequenceHistory`] of rows.
#[derive(Debug)]
pub struct HistoryReader<'t> {
    profile: &'t Profile,
    tables: &'t Tables,
    bad_blocks: &'t [(Die, Block)],
    player: Player<'t>,
    links: Links<'t>,
    past: Vec<HistoryOperation>,
    of_block: FxHashMap<(Die, Block), Vec<u32>>,
}

impl<'t> HistoryReader<'t> {
    /// A site of this profile with these bad blocks, before its first run.
    #[must_use]
    pub fn new(profile: &'t Profile, tables: &'t Tables, bad_blocks: &'t [(Die, Block)]) -> Self {
        let (player, links) = (Player::new(tables, bad_blocks), Links::new(tables));
        Self { profile, tables, bad_blocks, player, links, past: Vec::new(), of_block: FxHashMap::default() }
    }

    /// Takes the next row of a run.
    ///
    /// # Errors
    /// When it is not the row of an operation, or the operation breaks a rule.
    pub fn row(&mut self, run: u64, row: &Row<'_>) -> Result<(), HistoryError> {
        let wrong = |what: String| HistoryError::Row { run, row: row.row, what };
        if let Some(fault) = row.fault {
            return Err(wrong(fault.to_string()));
        }
        let mut targets = Vec::with_capacity(8);
        let stated = self.tables.op(row.op).stated_cell_type;
        let has_block = self.tables.base(self.tables.op(row.op).base).has_block;
        for target in row.targets {
            let parts = (|| {
                let plane = u8::try_from(target.plane).ok()?;
                let block = if has_block { u32::try_from(target.block).ok()? } else { u32::from(plane) };
                Some(Target {
                    die: Die(u8::try_from(target.die).ok()?),
                    plane: Plane(plane),
                    block: Block(block),
                    page: Page(u16::try_from(target.page).ok()?),
                    cell_type: target.cell_type.unwrap_or(stated),
                })
            })();
            targets.push(parts.ok_or_else(|| wrong("its address does not exist".to_owned()))?);
        }
        self.operation(HistoryOperation {
            op: row.op,
            place: self.place(row.op, &targets).map_err(|rule| self.forbidden(run, row.row, row.op, rule))?,
            start: row.time,
            uid: row.uid,
            run,
            row: row.row,
        })
    }

    fn forbidden(&self, run: u64, row: u64, op: OpId, rule: Rule) -> HistoryError {
        HistoryError::Forbidden { run, row, name: self.profile.ops[op].name.clone(), rule }
    }

    fn place(&self, op: OpId, targets: &[Target]) -> Result<Place, Rule> {
        let info = self.tables.base(self.tables.op(op).base);
        if info.has_block || info.reach == Reach::Planes {
            return Place::from_targets(&self.tables.size, targets);
        }
        let first = targets.first().copied().unwrap_or_default();
        Ok(Place { cell_type: first.cell_type, ..Place::die(first.die) })
    }

    /// Takes the next operation.
    ///
    /// # Errors
    /// When it breaks a rule.
    pub fn operation(&mut self, past: HistoryOperation) -> Result<(), HistoryError> {
        let (item, step) = (self.past.len() as u32, (past.op, &past.place));
        let forbidden = |rule| HistoryError::Forbidden {
            run: past.run,
            row: past.row,
            name: self.profile.ops[past.op].name.clone(),
            rule,
        };
        if past.place.die.0 >= self.tables.size.dies {
            return Err(forbidden(Rule::Bounds));
        }
        self.player.happened.clear();
        self.player.advance(past.start);
        self.links.happened(&self.player.happened, None);
        self.player.happened.clear();
        self.links.before(item, step, &self.player.device);
        self.player.start_at(item, step, past.start).map_err(forbidden)?;
        self.links.happened(&self.player.happened, Some(item));
        self.links.started(item, step);
        let effects = &self.tables.base(self.tables.op(past.op).base).effects;
        if effects.erase || effects.program || effects.close {
            for plane in past.place.planes.iter() {
                let block = past.place.block(&self.tables.size, plane);
                self.of_block.entry((past.place.die, block)).or_default().push(item);
            }
        }
        self.past.push(past);
        Ok(())
    }

    /// The history of all that was taken.
    #[must_use]
    pub fn finish(mut self) -> SequenceHistory<'t> {
        self.player.happened.clear();
        self.player.complete();
        self.links.happened(&self.player.happened, None);
        let mut aborted: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        self.links.aborted.iter().for_each(|&(by, item)| aborted.entry(by).or_default().push(item));
        let unit = self.links.units();
        let mut by_unit: Vec<u32> = (0..unit.len() as u32).collect();
        by_unit.sort_unstable_by_key(|item| (unit[*item as usize], *item));
        let Self { tables, bad_blocks, past, of_block, .. } = self;
        SequenceHistory { tables, fresh: Device::new(tables, bad_blocks), past, unit, by_unit, of_block, aborted }
    }
}
