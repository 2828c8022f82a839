//! Registers and latches: `dout_source`, `unread_data`, `oneshot_order`, `cache_sequence`, `copyback_source`.

use nandseq_profile::model::{LatchKind, LatchLevel, LatchNeed};
use nandseq_profile::{Die, Target};

use super::breaches::{Judge, page_text, plane_text};
use crate::model::{FilledRegister, same_page};
use crate::rule::RuleCode;

impl Judge<'_> {
    /// Whether a target is the page that a register holds, with the same cell type.
    pub(super) fn says(&self, at: &Target, held: &FilledRegister) -> bool {
        let fits = !self.operation.kind.has_cell_type || at.cell_type == held.at.cell_type;
        same_page(at, &held.at) && fits && self.operation.kind.cell_type.is_none_or(|own| own == held.at.cell_type)
    }

    /// `dout_source`
    pub(super) fn data_output(&mut self) {
        if !self.operation.kind.outputs {
            return;
        }
        let operation = self.operation;
        for at in operation.targets.iter() {
            let held = self.device.plane(at.die, at.plane).output;
            if held.is_some_and(|held| self.says(at, &held)) {
                continue;
            }
            self.breaks(RuleCode::DoutSource, held.map(|held| held.by), |names| match held {
                None => format!("The output register of {} holds nothing.", plane_text(at.die, at.plane)),
                Some(held) => {
                    let cell_type = names.cell_type(held.at.cell_type);
                    format!("The output register holds {}, {cell_type}.", page_text(&held.at))
                }
            });
        }
    }

    /// `unread_data`
    pub(super) fn unread_data(&mut self) {
        let operation = self.operation;
        let kind = operation.kind;
        let copyback = kind.from_copyback;
        let cache_read = kind.reads_on || kind.ends_cache_read;
        if kind.erases || kind.programs || kind.reads || kind.recovers || cache_read {
            for at in operation.targets.iter() {
                let plane = self.device.plane(at.die, at.plane);
                let (page, output) = (plane.page, plane.output);
                let kept = cache_read && page.zip(output).is_some_and(|(page, output)| same_page(&page.at, &output.at));
                let moved_on = copyback && output.is_some_and(|output| output.copyback);
                if !kept && !moved_on {
                    self.report_unread(at);
                }
            }
        }
        if let Some(axis) = kind.resumes {
            for die in operation.touched.dies.clone().map(Die) {
                let suspend_target = self.device.suspended_flight(die, axis).map(|flight| flight.targets);
                for at in suspend_target.iter().flat_map(crate::model::Targets::iter) {
                    self.report_unread(at);
                }
            }
        }
    }

    fn report_unread(&mut self, at: &Target) {
        let unread = self.device.plane(at.die, at.plane).output.filter(|output| !output.output);
        if let Some(unread) = unread {
            self.breaks(RuleCode::UnreadData, Some(unread.by), |_| {
                format!("The data of {} has not been output.", page_text(&unread.at))
            });
        }
    }

    /// `oneshot_order`, for both latches.
    pub(super) fn latch_order(&mut self) {
        let kind = self.operation.kind;
        for of in &kind.latches {
            self.latch_holds(of.latch, of.needs);
        }
    }

    fn latch_holds(&mut self, latch: LatchKind, needs: LatchNeed) {
        if needs == LatchNeed::default() {
            return;
        }
        for die in self.operation.touched.dies.clone().map(Die) {
            let held = self.device.die(die).latch(latch).copied();
            let level_fits = held.is_some_and(|held| match held.level {
                LatchLevel::Lsb => needs.lsb,
                LatchLevel::Csb => needs.csb,
                LatchLevel::Msb => needs.msb,
            });
            if !level_fits {
                self.breaks(RuleCode::OneShotOrder, held.map(|held| held.by), |_| match held {
                    None => format!("It needs the latch after {}, and nothing is loaded.", levels(needs)),
                    Some(held) => {
                        format!("It needs the latch after {}, and {} is loaded.", levels(needs), level(held.level))
                    }
                });
            } else if let Some(held) = held.filter(|held| !held.targets.same_pages(&self.operation.targets)) {
                self.breaks(RuleCode::OneShotOrder, Some(held.by), |_| {
                    let first = held.targets.iter().next().map(page_text).unwrap_or_default();
                    format!("The latch is loaded for another address, {first}.")
                });
            }
        }
    }

    /// `cache_sequence`, for programs while a cache program is under way.
    pub(super) fn cache_program_sequence(&mut self) {
        let operation = self.operation;
        if !operation.kind.programs {
            return;
        }
        for die in operation.touched.dies.clone().map(Die) {
            let Some(cache) = self.device.die(die).cache_program else { continue };
            let goes_on = cache.targets.iter().count() == operation.targets.iter().count()
                && cache.targets.iter().zip(operation.targets.iter()).all(|(last, next)| {
                    (last.die, last.block) == (next.die, next.block)
                        && u32::from(last.page.0) + 1 == u32::from(next.page.0)
                });
            if cache.cell_type != operation.cell_type || !goes_on {
                self.breaks(RuleCode::CacheSequence, Some(cache.by), |names| {
                    let last = cache.targets.iter().next().map(page_text).unwrap_or_default();
                    let cell_type = names.cell_type(cache.cell_type);
                    format!("The cache program goes on after {last} with the next page, as {cell_type}.")
                });
            }
        }
    }

    /// `cache_sequence`, for cache reads and their ends.
    pub(super) fn cache_read_sequence(&mut self) {
        let operation = self.operation;
        let goes_on = operation.kind.reads_on;
        let ends = operation.kind.ends_cache_read;
        if !goes_on && !ends {
            return;
        }
        for at in operation.targets.iter() {
            let Some(page) = self.device.plane(at.die, at.plane).page else {
                self.breaks(RuleCode::CacheSequence, None, |_| {
                    format!("The page register of {} holds nothing.", plane_text(at.die, at.plane))
                });
                continue;
            };
            if goes_on && operation.cell_type != page.at.cell_type {
                self.breaks(RuleCode::CacheSequence, Some(page.by), |names| {
                    let (held, own) = (names.cell_type(page.at.cell_type), names.cell_type(operation.cell_type));
                    format!("The page register holds a page read as {held}; a cache read of {own} cannot follow.")
                });
            }
            if ends && !self.says(at, &page) {
                self.breaks(RuleCode::CacheSequence, Some(page.by), |names| {
                    let cell_type = names.cell_type(page.at.cell_type);
                    format!("The page register holds {}, {cell_type}.", page_text(&page.at))
                });
            }
        }
    }

    /// `copyback_source`
    pub(super) fn copyback_source(&mut self) {
        if !self.operation.kind.from_copyback {
            return;
        }
        let operation = self.operation;
        for at in operation.targets.iter() {
            let page = self.device.plane(at.die, at.plane).page;
            if page.is_some_and(|page| page.copyback) {
                continue;
            }
            self.breaks(RuleCode::CopybackSource, page.map(|page| page.by), |_| {
                let place = plane_text(at.die, at.plane);
                match page {
                    None => format!("The page register of {place} holds nothing."),
                    Some(_) => format!("The page register of {place} was not filled by a copyback read."),
                }
            });
        }
    }
}

const fn level(level: LatchLevel) -> &'static str {
    match level {
        LatchLevel::Lsb => "LSB",
        LatchLevel::Csb => "CSB",
        LatchLevel::Msb => "MSB",
    }
}

fn levels(needs: LatchNeed) -> String {
    let all = [(needs.lsb, LatchLevel::Lsb), (needs.csb, LatchLevel::Csb), (needs.msb, LatchLevel::Msb)];
    let names: Vec<&str> = all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, wanted)| level(wanted)).collect();
    names.join(" or ")
}
