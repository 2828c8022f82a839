//! What each effect does: the one place of the engine that knows every kind of [`Effect`].
//!
//! [`Effects::describe`] has a line for each effect: what its operation needs, what it changes at its start and when the array is
//! done, what it does to its blocks, and its role for other operations. Everything else follows from these: judging and carrying
//! out ([`DieLogic`](crate::DieLogic)), [`Footprint`](crate::Footprint), the masks of `generate`, the search of `reach`. They
//! match [`Precondition`], [`StateChange`] and [`Role`] without a `_` arm.

use nandseq_profile::model::{Axis, CacheProgramKind, CacheReadKind, Effect, LatchKind, LatchLevel, LatchNeed};

use crate::rule::Rule;

use BlockEffect::{Closed, Erased, Loaded, Programmed, Untouched};
use Precondition::{
    CopybackPage, InCoreBusy, NextOfCacheProgram, NothingInFlight, NothingUnread, Output, PageToPutOut, PageToReadOn,
    Suspended,
};
use Role::{Plain, Resume, Suspend};
use StateChange::{
    Clear, EmptyRegisters, EmptyResumed, EndCacheProgram, EndCacheRead, EndSuspension, EnterCacheProgram,
    EnterCacheRead, Fill, Load, PutOut, ReadOn, SwitchOdt, SwitchWriteProtect,
};

/// What must hold, beside the exclusion tables, for an operation to start. Those of its planes come first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// The page register of each of its planes holds a page that a copyback read put there.
    CopybackPage,
    /// None of its planes holds unread data.
    NothingUnread,
    /// The page register of each of its planes holds a page of its cell type, and moving that page loses no unread data.
    PageToReadOn,
    /// The page register of each of its planes holds the page that it addresses, and moving that page loses no unread data.
    PageToPutOut,
    /// The output register of each of its planes holds the page that it addresses.
    Output,
    /// The latch holds one of these levels for its address; with no level, it may hold anything or nothing.
    Latch(LatchKind, LatchNeed),
    /// While a cache program goes on, it is the program that comes next.
    NextOfCacheProgram,
    /// An operation of this axis is suspended and may be resumed.
    Suspended(Axis),
    /// An operation of this axis is in CORE_BUSY on the die, and none is suspended.
    InCoreBusy(Axis),
    /// Nothing is in flight on any die. An operation that would break this breaks the rule given here.
    NothingInFlight(Rule),
}

impl Precondition {
    /// The order in which needs are judged; the first five are asked of each plane of the operation, the others of the die.
    const fn rank(self) -> u8 {
        match self {
            CopybackPage => 0,
            NothingUnread => 1,
            PageToReadOn => 2,
            PageToPutOut => 3,
            Output => 4,
            Self::Latch(..) => 5,
            NextOfCacheProgram => 6,
            Suspended(_) => 7,
            InCoreBusy(_) => 8,
            NothingInFlight(_) => 9,
        }
    }
}

/// A change of the lasting state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateChange {
    /// The registers of its planes hold nothing.
    EmptyRegisters,
    /// The registers of the planes of what is suspended on this axis hold nothing.
    EmptyResumed(Axis),
    /// Both registers of its planes hold the page that it addresses, unread.
    Fill {
        /// Whether the page register may feed a copyback program.
        copyback: bool,
    },
    /// Its planes enter a cache-read state.
    EnterCacheRead(CacheReadKind),
    /// The page register moves to the output register, unread; the page that it addresses comes into the page register.
    ReadOn,
    /// The page register moves to the output register, unread, and the cache-read state ends, of whichever kind it is.
    EndCacheRead(CacheReadKind),
    /// The data of the page that it addresses has been read.
    PutOut,
    /// A latch is loaded for its address.
    Load(LatchKind, LatchLevel),
    /// A latch holds nothing.
    Clear(LatchKind),
    /// The die enters a cache-program state.
    EnterCacheProgram(CacheProgramKind),
    /// The cache-program state of this kind ends.
    EndCacheProgram(CacheProgramKind),
    /// Nothing is suspended on this axis.
    EndSuspension(Axis),
    /// All of the die's lasting state ends, except the state of the target.
    Reset,
    /// On-die termination of the target goes off or on.
    SwitchOdt {
        /// Whether it is off from then on.
        off: bool,
    },
    /// Write protect of the target goes on or off.
    SwitchWriteProtect {
        /// Whether it is on from then on.
        on: bool,
    },
}

/// What an operation does to its blocks when the array is done; all but untouched blocks are in flight until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BlockEffect {
    Untouched,
    Erased,
    Programmed,
    Closed,
    /// They stay as they are: a page is loaded for them.
    Loaded,
}

/// The role of an operation for other operations, and for proposals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Plain,
    /// Suspends the operation of the axis that is in CORE_BUSY.
    Suspend(Axis),
    /// Resumes the suspended operation of the axis.
    Resume(Axis),
    /// Ends everything in flight on its die.
    ResetDie,
    /// Ends everything in flight on every die.
    ResetTarget,
    /// When it is drawn, nothing is proposed.
    Delay,
}

/// The effects of a base together.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Effects {
    /// The preconditions that each plane that it addresses must meet, in the order of judging.
    pub of_planes: Vec<Precondition>,
    /// The other preconditions, in the order of judging.
    pub of_die: Vec<Precondition>,
    /// What it changes at its start.
    pub at_start: Vec<StateChange>,
    /// What it changes when the array is done.
    pub at_end: Vec<StateChange>,
    /// Erases its blocks.
    pub erase: bool,
    /// Commits its page.
    pub program: bool,
    /// Closes its block.
    pub close: bool,
    /// Loads a latch.
    pub load: bool,
    /// Fills both registers; `Some(true)` for copyback.
    pub fill: Option<bool>,
    /// Moves the page register to the output register, and its own page into the page register.
    pub cache_read: bool,
    /// Moves the page register to the output register, and leaves it empty.
    pub cache_read_end: bool,
    /// Puts data out.
    pub data_out: bool,
    /// Takes its data from a copyback read.
    pub copyback_source: bool,
    /// Starts only while nothing is in flight on any die; the rule that says so.
    pub needs_nothing_in_flight: Option<Rule>,
    /// The axis that it suspends.
    pub suspend: Option<Axis>,
    /// The axis that it resumes.
    pub resume: Option<Axis>,
    /// Resets its die.
    pub reset_die: bool,
    /// Resets the target.
    pub reset_target: bool,
    /// Changes the state of the target at its start. It never starts while a chain is under way, nor as a step of one.
    pub holds_target: bool,
    /// Changes the state of the target, at its start or at its end.
    pub changes_target: bool,
    /// When it is drawn, nothing is proposed.
    pub delay: bool,
}

impl Effects {
    pub(crate) fn new(list: &[Effect]) -> Self {
        let mut all = Self::default();
        list.iter().for_each(|effect| all.describe(*effect));
        if all.copyback_source {
            // Its page register may hold unread data: that is the page which it programs.
            all.of_planes.retain(|need| *need != NothingUnread);
        }
        all
    }

    /// Adds an effect: preconditions, changes at the start, changes when the array is done, blocks, role.
    fn describe(&mut self, effect: Effect) {
        let program = [NothingUnread, NextOfCacheProgram];
        match effect {
            Effect::Erase => self.add(&[NothingUnread], &[EmptyRegisters], &[], Erased, Plain),
            Effect::Program => self.add(&program, &[EmptyRegisters], &[], Programmed, Plain),
            Effect::CloseBlock => self.add(&program, &[EmptyRegisters], &[], Closed, Plain),
            Effect::LoadLatch { latch, level, needs } => {
                let needs = [NothingUnread, Precondition::Latch(latch, needs), NextOfCacheProgram];
                self.add(&needs, &[EmptyRegisters], &[Load(latch, level)], Loaded, Plain);
            }
            Effect::ConsumeLatch { latch, needs } => {
                self.add(&[Precondition::Latch(latch, needs)], &[], &[Clear(latch)], Untouched, Plain);
            }
            Effect::FillRegisters { copyback } => {
                self.add(&[NothingUnread], &[], &[Fill { copyback }], Untouched, Plain);
            }
            Effect::CacheRead(kind) => {
                self.add(&[PageToReadOn], &[EnterCacheRead(kind)], &[ReadOn], Untouched, Plain);
            }
            Effect::CacheReadEnd(kind) => self.add(&[PageToPutOut], &[], &[EndCacheRead(kind)], Untouched, Plain),
            Effect::CacheProgramStart(kind) => self.add(&[], &[EnterCacheProgram(kind)], &[], Untouched, Plain),
            Effect::CacheProgramEnd(kind) => self.add(&[], &[], &[EndCacheProgram(kind)], Untouched, Plain),
            Effect::DataOut => self.add(&[Output], &[], &[PutOut], Untouched, Plain),
            Effect::CopybackSource => self.add(&[CopybackPage], &[], &[], Untouched, Plain),
            Effect::Suspend(axis) => self.add(&[InCoreBusy(axis)], &[], &[], Untouched, Suspend(axis)),
            Effect::Resume(axis) => {
                self.add(&[Suspended(axis)], &[EmptyResumed(axis)], &[EndSuspension(axis)], Untouched, Resume(axis));
            }
            Effect::ResetDie => self.add(&[], &[StateChange::Reset], &[], Untouched, Role::ResetDie),
            Effect::ResetTarget => self.add(&[], &[StateChange::Reset], &[], Untouched, Role::ResetTarget),
            Effect::OdtDisable => self.add(&[], &[SwitchOdt { off: true }], &[], Untouched, Plain),
            Effect::OdtEnable => self.add(&[], &[], &[SwitchOdt { off: false }], Untouched, Plain),
            Effect::WriteProtectOn => {
                let alone = NothingInFlight(Rule::WriteProtect);
                self.add(&[alone], &[SwitchWriteProtect { on: true }], &[], Untouched, Plain);
            }
            Effect::WriteProtectOff => self.add(&[], &[], &[SwitchWriteProtect { on: false }], Untouched, Plain),
            Effect::StatusRead => self.add(&[], &[], &[], Untouched, Plain),
            Effect::Delay => self.add(&[], &[], &[], Untouched, Role::Delay),
        }
    }

    fn add(
        &mut self,
        needs: &[Precondition],
        at_start: &[StateChange],
        at_end: &[StateChange],
        blocks: BlockEffect,
        role: Role,
    ) {
        for &need in needs {
            let list = if need.rank() < 5 { &mut self.of_planes } else { &mut self.of_die };
            list.insert(list.partition_point(|other| other.rank() <= need.rank()), need);
            self.copyback_source |= need == CopybackPage;
            if let NothingInFlight(rule) = need {
                self.needs_nothing_in_flight = self.needs_nothing_in_flight.or(Some(rule));
            }
        }
        at_start.iter().for_each(|change| self.note(*change, true));
        at_end.iter().for_each(|change| self.note(*change, false));
        self.at_start.extend_from_slice(at_start);
        self.at_end.extend_from_slice(at_end);
        match blocks {
            Untouched => {}
            Erased => self.erase = true,
            Programmed => self.program = true,
            Closed => self.close = true,
            Loaded => self.load = true,
        }
        match role {
            Plain => {}
            Suspend(axis) => self.suspend = Some(axis),
            Resume(axis) => self.resume = Some(axis),
            Role::ResetDie => self.reset_die = true,
            Role::ResetTarget => self.reset_target = true,
            Role::Delay => self.delay = true,
        }
    }

    /// Notes the facts about a change that are asked for often.
    const fn note(&mut self, change: StateChange, at_start: bool) {
        match change {
            Fill { copyback } => self.fill = Some(copyback),
            ReadOn => self.cache_read = true,
            EndCacheRead(_) => self.cache_read_end = true,
            PutOut => self.data_out = true,
            SwitchOdt { .. } | SwitchWriteProtect { .. } => {
                self.changes_target = true;
                self.holds_target |= at_start;
            }
            EmptyRegisters
            | EmptyResumed(_)
            | EnterCacheRead(_)
            | Load(..)
            | Clear(_)
            | EnterCacheProgram(_)
            | EndCacheProgram(_)
            | EndSuspension(_)
            | StateChange::Reset => {}
        }
    }

    /// Whether it is a program for the rules of registers, blocks in flight and addresses (rulebook, question 2).
    #[must_use]
    pub const fn is_program(&self) -> bool {
        self.program || self.close || self.load
    }

    /// Whether its blocks are in flight while it runs.
    #[must_use]
    pub const fn changes_block(&self) -> bool {
        self.erase || self.is_program()
    }

    /// Whether a SUSPEND of this axis can stop it.
    #[must_use]
    pub const fn is_of(&self, axis: Axis) -> bool {
        match axis {
            Axis::Erase => self.erase,
            Axis::Program => self.is_program(),
        }
    }

    /// Whether it is a reset.
    #[must_use]
    pub const fn resets(&self) -> bool {
        self.reset_die || self.reset_target
    }

    /// Whether it cuts other operations.
    #[must_use]
    pub const fn cuts(&self) -> bool {
        self.suspend.is_some() || self.resets()
    }

    /// Whether it puts a page of the array into registers.
    #[must_use]
    pub const fn reads_array(&self) -> bool {
        self.fill.is_some() || self.cache_read
    }

    /// Whether it moves a page from the page register to the output register.
    #[must_use]
    pub const fn moves_page(&self) -> bool {
        self.cache_read || self.cache_read_end
    }

    /// Whether its end has to be applied, apart from occupation.
    #[must_use]
    pub const fn acts_at_end(&self) -> bool {
        !self.at_end.is_empty() || self.changes_block() || self.suspend.is_some()
    }

    /// All preconditions.
    pub fn needs(&self) -> impl Iterator<Item = Precondition> + '_ {
        self.of_planes.iter().chain(&self.of_die).copied()
    }

    /// All state changes.
    pub fn changes(&self) -> impl Iterator<Item = StateChange> + Clone + '_ {
        self.at_start.iter().chain(&self.at_end).copied()
    }
}
