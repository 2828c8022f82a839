//! A tiny simulation: proposes operations at random and keeps those that the verifier has nothing against.
//!
//! It reaches every behaviour of a small device. Its sequences are clean according to the verifier, which is all that mutations
//! need.

use nandseq_input::{Addressed, Row};
use nandseq_mutants::{Sequence, SequenceRow};
use nandseq_profile::model::{AddressSource, Base, ByAxis, Effect, PayloadField, PhaseKind, Scope};
use nandseq_profile::{CellTypeId, OpId, Profile, Ticks};
use nandseq_trace::{Status, suspension_words};
use nandseq_verify::{Finding, RuleCode, Verifier};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// Below `count`, which is not 0.
    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

struct Simulation<'p> {
    profile: &'p Profile,
    random: Random,
    verifier: Verifier<'p>,
    rows: Vec<SequenceRow>,
    /// Per die and block: the next page, and the cell type of the last erase or program.
    blocks: Vec<(i64, CellTypeId)>,
    /// Instants at which something ends, and after which something may start.
    ends: Vec<Ticks>,
    /// Operations by the source of their address, so that rare ones get their turn.
    by_source: Vec<Vec<OpId>>,
}

/// A clean sequence of `count` rows.
pub(crate) fn simulate(profile: &Profile, seed: u64, count: usize) -> Sequence {
    let topology = profile.topology;
    let mut by_source: Vec<(AddressSource, Vec<OpId>)> = Vec::new();
    for (id, op) in profile.ops.iter_ids() {
        let source = profile.bases[op.base].address;
        match by_source.iter_mut().find(|(known, _)| *known == source) {
            Some((_, ops)) => ops.push(id),
            None => by_source.push((source, vec![id])),
        }
    }
    let mut simulation = Simulation {
        profile,
        random: Random(seed),
        verifier: Verifier::new(profile, &[]),
        rows: Vec::new(),
        blocks: vec![(-1, CellTypeId(0)); (topology.dies * topology.blocks_per_die) as usize],
        ends: vec![Ticks::ZERO],
        by_source: by_source.into_iter().map(|(_, ops)| ops).collect(),
    };
    let mut tries = 0;
    while simulation.rows.len() < count && tries < count * 400 {
        tries += 1;
        simulation.propose();
    }
    Sequence { rows: simulation.rows }
}

/// Whether a base ends everything in flight.
fn ends_all(base: &Base) -> bool {
    base.effects.iter().any(|effect| matches!(effect, Effect::ResetDie | Effect::ResetTarget))
}

/// Whether a base continues what a read before it left in the registers.
fn continues(base: &Base) -> bool {
    base.effects.iter().any(|effect| matches!(effect, Effect::CacheRead(_) | Effect::CopybackSource))
}

/// Puts what a finding says is right into the payload: whose data it is, that nobody can tell, or which axes are suspended.
fn repair(finding: &Finding, targets: &mut [Addressed]) -> bool {
    let Some((right, _)) = finding.message.split_once(", not ") else {
        let is_extra = finding.rule == RuleCode::PayloadFields && finding.message.starts_with("Nobody can tell");
        targets.iter_mut().for_each(|target| target.fields.remove(PayloadField::Data));
        return is_extra;
    };
    let data = right.rsplit(' ').next().and_then(|word| word.parse().ok());
    for target in targets {
        match data.filter(|_| finding.rule == RuleCode::DataValue) {
            Some(data) => target.data = data,
            None => {
                target.suspended = ByAxis::new(|axis| {
                    target.suspended[axis].and(Some(right.contains(&format!(" {}", suspension_words(axis)[1]))))
                });
            }
        }
    }
    matches!(finding.rule, RuleCode::DataValue | RuleCode::StatusValue)
}

impl<'p> Simulation<'p> {
    fn propose(&mut self) {
        let op = if self.random.one_in(3) {
            OpId(self.random.below(self.profile.ops.len()) as u16)
        } else {
            let source = self.random.below(self.by_source.len());
            let ops = &self.by_source[source];
            ops[self.random.below(ops.len())]
        };
        let base = &self.profile.bases[self.profile.ops[op].base];
        let whole = base.address == AddressSource::AnyBlock || base.scope == Scope::Target;
        if (whole && !self.random.one_in(6)) || (ends_all(base) && !self.random.one_in(40)) {
            return;
        }
        if base.has(Effect::WriteProtectOn) && !self.random.one_in(10) {
            return;
        }
        let mut targets = self.targets(op);
        let time = self.time();
        let uid = self.rows.len() as u64 + 1;
        targets.iter_mut().for_each(|target| target.data = uid.cast_signed());
        // Once as drawn, and once with what the verifier would have expected.
        let mut judged = self.judged(op, time, uid, &targets);
        if let [finding] = judged.findings()
            && repair(finding, &mut targets)
        {
            judged = self.judged(op, time, uid, &targets);
        }
        if !judged.is_clean() {
            return;
        }
        self.verifier = judged;
        self.note(op, &targets, time);
        self.rows.push(SequenceRow { time, op, uid, targets });
    }

    /// The verifier after a further row.
    fn judged(&self, op: OpId, time: Ticks, uid: u64, targets: &[Addressed]) -> Verifier<'p> {
        let mut verifier = self.verifier.clone();
        verifier.row(&Row { row: uid, seq: uid, time, opcode: 0, op, uid, targets, fault: None });
        verifier
    }

    /// Now, the end of something, or a little later.
    fn time(&mut self) -> Ticks {
        let now = self.rows.last().map_or(Ticks::ZERO, |row| row.time);
        self.ends.retain(|end| *end >= now);
        match self.random.below(4) {
            0 => now + Ticks(self.random.next() % 30_000_000),
            1 => self.ends.iter().max().copied().unwrap_or(now),
            2 => self.ends.iter().min().copied().unwrap_or(now),
            _ if self.ends.is_empty() => now,
            _ => self.ends[self.random.below(self.ends.len())],
        }
    }

    fn note(&mut self, op: OpId, targets: &[Addressed], time: Ticks) {
        let op = &self.profile.ops[op];
        let base = &self.profile.bases[op.base];
        let mut end = time;
        for (phase, duration) in base.phases.iter().zip(&op.durations) {
            end += *duration;
            self.ends.push(end);
            if phase.kind == PhaseKind::CoreBusy && self.random.one_in(3) {
                self.ends.push(Ticks(end.0 - self.random.next() % duration.0.max(1)));
            }
        }
        let blocks = i64::from(self.profile.topology.blocks_per_die);
        for target in targets.iter().filter(|_| base.payload_has(PayloadField::Block)) {
            let block = &mut self.blocks[(target.die * blocks + target.block) as usize];
            match base.address {
                AddressSource::AnyBlock => *block = (0, op.cell_type),
                AddressSource::NextPage | AddressSource::OneShotLatch | AddressSource::CopybackLatch => {
                    *block = (target.page + 1, op.cell_type);
                }
                AddressSource::None
                | AddressSource::Hook
                | AddressSource::ReadablePage
                | AddressSource::OutputRegister
                | AddressSource::PageRegister
                | AddressSource::SuspendedProgram => {}
            }
        }
    }

    fn targets(&mut self, op: OpId) -> Vec<Addressed> {
        let op = &self.profile.ops[op];
        let base = &self.profile.bases[op.base];
        let topology = self.profile.topology;
        let planes = i64::from(topology.planes);
        let fields = base.payload.iter().copied().collect();
        let reads = matches!(base.address, AddressSource::OutputRegister | AddressSource::PageRegister);
        let derived = matches!(
            base.address,
            AddressSource::OutputRegister
                | AddressSource::PageRegister
                | AddressSource::SuspendedProgram
                | AddressSource::OneShotLatch
                | AddressSource::CopybackLatch
        );
        if derived && let Some(mut targets) = self.recent(op.multi, !reads) {
            for target in &mut targets {
                target.fields = fields;
                let own = op.cell_type;
                let none = self.profile.cell_types[own].name == "NONE";
                target.cell_type = if none { target.cell_type } else { Some(own) };
            }
            return targets;
        }
        let die = self.random.below(topology.dies as usize) as i64;
        let group = self.random.below((topology.blocks_per_die / topology.planes) as usize) as i64;
        let count = if op.multi { 2 + self.random.below(planes as usize - 1) as i64 } else { 1 };
        let first = self.random.below((planes - count + 1) as usize) as i64;
        let status = [Status::Busy, Status::ExtReady, Status::Ready][self.random.below(3)];
        let mut place = (die, group, first, count);
        if continues(base)
            && let Some(recent) = self.recent(op.multi, false)
        {
            place = (recent[0].die, place.1, recent[0].plane, recent.len() as i64);
        }
        let (die, group, first, count) = place;
        let page = self.page(base.address, die, group * planes + first);
        let has_axes = base.payload_has(PayloadField::ExpectedStatus) && !self.profile.export.status.is_empty();
        let target = |plane| Addressed {
            fields,
            die,
            plane,
            block: group * planes + plane,
            page,
            cell_type: base.payload_has(PayloadField::CellType).then_some(op.cell_type),
            status: base.payload_has(PayloadField::ExpectedStatus).then_some(status),
            suspended: ByAxis::new(|_| has_axes.then_some(false)),
            data: 0,
        };
        (first..first + count).map(target).collect()
    }

    /// The targets of a recent operation with an address, on several planes if wanted.
    fn recent(&mut self, multi: bool, programs: bool) -> Option<Vec<Addressed>> {
        let addressed = |row: &&SequenceRow| {
            let base = &self.profile.bases[self.profile.ops[row.op].base];
            let programmed = matches!(
                base.address,
                AddressSource::NextPage | AddressSource::OneShotLatch | AddressSource::CopybackLatch
            );
            let whole = base.address == AddressSource::AnyBlock;
            base.payload_has(PayloadField::Block) && !whole && programmed == programs
        };
        let recent: Vec<&SequenceRow> = self.rows.iter().rev().take(40).filter(addressed).take(5).collect();
        let chosen = recent.get(self.random.below(recent.len().max(1)))?;
        let mut targets = chosen.targets.clone();
        if !multi {
            targets.swap(0, self.random.below(chosen.targets.len()));
            targets.truncate(1);
        }
        (multi == (targets.len() > 1)).then_some(targets)
    }

    fn page(&mut self, address: AddressSource, die: i64, block: i64) -> i64 {
        let topology = self.profile.topology;
        let (next, _) = self.blocks[(die * i64::from(topology.blocks_per_die) + block) as usize];
        let next = next.clamp(0, i64::from(topology.pages_per_block) - 1);
        if address == AddressSource::ReadablePage {
            self.random.below(next.max(1) as usize) as i64
        } else if address == AddressSource::NextPage {
            next
        } else {
            0
        }
    }
}
