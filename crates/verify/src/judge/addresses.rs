//! Addresses: `bounds`, `bad_block`, the rules of erase, program and read, `in_flight`, `multi_plane_group`.

use nandseq_profile::model::{CellType, PayloadField};
use nandseq_profile::{CellTypeId, Page, Target};

use super::breaches::{Judge, block_text, next_page, page_text};
use super::judged_operation::OutOfBounds;
use crate::finding::sentence;
use crate::model::{BlockContent, BlockState};
use crate::rule::RuleCode;

impl Judge<'_> {
    /// `bounds`. The other rules leave out targets that do not exist.
    pub(super) fn bounds(&mut self) {
        let Some(why) = self.operation.out_of_bounds else { return };
        let topology = self.device.topology;
        self.breaks(RuleCode::Bounds, None, |_| match why {
            OutOfBounds::Die(die) => format!("There is no die {die}; the device has {}.", topology.dies),
            OutOfBounds::Plane(plane) => format!("There is no plane {plane}; a die has {}.", topology.planes),
            OutOfBounds::Block(block) => format!("There is no block {block}; a die has {}.", topology.blocks_per_die),
            OutOfBounds::Page(page) => format!("There is no page {page}; a block has {}.", topology.pages_per_block),
            OutOfBounds::NotOnPlane { block, plane } => {
                let right = block % i64::from(topology.planes);
                format!("Block {block} lies on plane {right}, not on plane {plane}.")
            }
            OutOfBounds::Lun(lun) => {
                format!("The operation addresses LUN {lun}; the last one is {}.", topology.dies.saturating_sub(1))
            }
        });
    }

    /// `multi_plane_group`, judged on the payload as written.
    pub(super) fn group(&mut self) {
        let written = self.operation.written;
        let count = written.len();
        if count == 0 {
            // An empty payload breaks a rule of the written form.
            return;
        }
        if !self.operation.kind.multi {
            if count > 1 {
                self.breaks(RuleCode::MultiPlaneGroup, None, |_| {
                    format!("A single-plane operation has 1 target, this one has {count}.")
                });
            }
            return;
        }
        if count < 2 {
            let text = "A multi-plane operation has 2 or more targets, this one has 1.";
            self.breaks(RuleCode::MultiPlaneGroup, None, |_| text.to_owned());
            return;
        }
        let planes = i64::from(self.device.topology.planes);
        let differs = |field: fn(&nandseq_input::Addressed) -> i64| {
            written.windows(2).any(|pair| field(&pair[0]) != field(&pair[1]))
        };
        let why = if differs(|target| target.die) {
            "The targets of a multi-plane operation lie on one die."
        } else if self.operation.kind.has_plane && written.windows(2).any(|pair| pair[0].plane >= pair[1].plane) {
            "The planes of a multi-plane operation are distinct and ascend."
        } else if differs(|target| target.page) {
            "The targets of a multi-plane operation have one page."
        } else if written.windows(2).any(|pair| pair[0].block.div_euclid(planes) != pair[1].block.div_euclid(planes)) {
            "The targets of a multi-plane operation lie in one block group."
        } else {
            return;
        };
        self.breaks(RuleCode::MultiPlaneGroup, None, |_| why.to_owned());
    }

    /// The rules that look at a block.
    pub(super) fn block_rules(&mut self) {
        let operation = self.operation;
        let kind = operation.kind;
        for at in operation.targets.iter() {
            if kind.touches() || kind.recovers {
                self.bad_block(at);
            }
            if kind.touches() {
                self.not_in_flight(at);
            }
            let block = *self.device.blocks.get(at.die, at.block);
            if kind.programs || kind.aims {
                self.programmable(at, &block);
            }
            if kind.reads {
                self.readable(at, &block);
            }
        }
        self.own_cell_type();
        self.page_zero();
    }

    /// An operation that addresses a whole block carries page 0.
    fn page_zero(&mut self) {
        let kind = self.operation.kind;
        let wrong = self.operation.targets.iter().find(|at| at.page.0 != 0);
        if let Some(at) = wrong.filter(|_| (kind.erases || kind.checks) && kind.has_page) {
            self.breaks(RuleCode::PayloadFields, None, |_| {
                format!("An operation on a whole block carries page 0, not {}.", at.page.0)
            });
        }
    }

    fn bad_block(&mut self, at: &Target) {
        if self.device.blocks.get(at.die, at.block).bad {
            self.breaks(RuleCode::BadBlock, None, |_| sentence(&format!("{} is bad", block_text(at.die, at.block))));
        }
    }

    fn not_in_flight(&mut self, at: &Target) {
        let flight = self.device.in_flight(at.die, at.block).map(|flight| flight.origin);
        if let Some(by) = flight {
            self.breaks(RuleCode::InFlight, Some(by), |names| {
                format!("{} is not finished with {}.", names.op(&by), block_text(at.die, at.block))
            });
        }
    }

    fn programmable(&mut self, at: &Target, block: &BlockState) {
        let expected = match block.content {
            BlockContent::NotErased => {
                self.breaks(RuleCode::ProgramBeforeErase, block.by, |_| {
                    sentence(&format!("{} has not been erased", block_text(at.die, at.block)))
                });
                return;
            }
            BlockContent::Erased(_) => 0,
            BlockContent::Programmed(last, _) => next_page(last),
        };
        if u32::from(at.page.0) != expected {
            let end = u32::from(self.device.last_page().0);
            self.breaks(RuleCode::ProgramOrder, block.by, |_| {
                let place = block_text(at.die, at.block);
                if expected > end {
                    format!("All pages of {place} are programmed; page {} is not free.", at.page.0)
                } else {
                    format!("The next page of {place} is {expected}, not {}.", at.page.0)
                }
            });
        }
        let Some(wanted) = self.program_cell_type(at) else { return };
        let (held, fits, word) = match block.content {
            BlockContent::NotErased => return,
            BlockContent::Erased(erased) => {
                (erased, self.profile.cell_types[erased].programs >> wanted.0 & 1 == 1, "erased")
            }
            BlockContent::Programmed(_, cell_type) => (cell_type, cell_type == wanted, "programmed"),
        };
        if !fits {
            self.breaks(RuleCode::ProgramCellType, block.by, |names| {
                let place = block_text(at.die, at.block);
                let (wanted, held) = (names.cell_type(wanted), names.cell_type(held));
                sentence(&format!("{place} is {word} as {held}; it cannot be programmed as {wanted}"))
            });
        }
    }

    /// The cell type of a program: its own, else that of the payload. `None` for an operation that only addresses the next page,
    /// if its payload names no cell type.
    fn program_cell_type(&self, at: &Target) -> Option<CellTypeId> {
        let kind = self.operation.kind;
        let says = kind.has_cell_type && self.profile.cell_types[at.cell_type].name != CellType::ANY;
        kind.cell_type.or_else(|| (kind.programs || says).then_some(at.cell_type))
    }

    fn readable(&mut self, at: &Target, block: &BlockState) {
        let guard = i64::from(self.profile.offset_guard);
        let (last, cell_type) = match block.content {
            BlockContent::NotErased | BlockContent::Erased(_) => (None, None),
            BlockContent::Programmed(last, cell_type) => (Some(last), Some(cell_type)),
        };
        let far_enough = |last: Page| i64::from(at.page.0) <= i64::from(last.0) - guard;
        if !last.is_some_and(far_enough) {
            self.breaks(RuleCode::ReadBeforeProgram, block.by, |_| match last {
                None => format!("Nothing is programmed in {}.", block_text(at.die, at.block)),
                Some(last) => {
                    let place = block_text(at.die, at.block);
                    let limit = i64::from(last.0) - guard;
                    sentence(&format!("{place} can be read up to page {limit}, not page {}", at.page.0))
                }
            });
        }
        let wanted = self.operation.kind.cell_type.unwrap_or(at.cell_type);
        if let Some(cell_type) = cell_type.filter(|held| *held != wanted) {
            self.breaks(RuleCode::ReadCellType, block.by, |names| {
                let (held, wanted) = (names.cell_type(cell_type), names.cell_type(wanted));
                sentence(&format!("{} is programmed as {held}; it is read as {wanted}", page_text(at)))
            });
        }
    }

    /// The cell type of the payload is that of the operation, if both have one.
    fn own_cell_type(&mut self) {
        let kind = self.operation.kind;
        let Some(own) = kind.cell_type.filter(|_| kind.has_cell_type) else { return };
        let said = self.operation.written.iter().filter(|target| target.fields.contains(PayloadField::CellType));
        let Some(wrong) = said.filter_map(|target| target.cell_type).find(|said| *said != own) else { return };
        let rule = if kind.programs || kind.aims {
            RuleCode::ProgramCellType
        } else if kind.reads || kind.recovers {
            RuleCode::ReadCellType
        } else {
            RuleCode::PayloadFields
        };
        self.breaks(rule, None, |names| {
            let (own, wrong) = (names.cell_type(own), names.cell_type(wrong));
            format!("The payload says {wrong}, but the operation is one for {own}.")
        });
    }
}
