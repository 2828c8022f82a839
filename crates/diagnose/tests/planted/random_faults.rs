//! Faults drawn at random, and the rank of the truth in a diagnosis.
//!
//! A fault is drawn again until it could be found at all: it fails at least 15 operations in at least 8 runs, hits at most half of the
//! operations that its last step names, and every step of it matters: without the first one it would hit at least half as many more.
//!
//! The line of a suspect is the truth if what it says, or an equivalent that it lists, names the operations that the fault names, or fewer or
//! more of the same family, in the relation of the fault, with a gap, a share of the phase, blocks or erases that are about those of the fault.

use nandseq_diagnose::Diagnosis;
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId};

use crate::campaign::{Draws, PlantedCampaign, PlantedRow};

const US: u64 = 1_000_000;

/// Operations under a name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    text: String,
    ops: Vec<OpId>,
}

/// An earlier step of a fault.
#[derive(Clone, Debug)]
pub(crate) struct EarlierStep {
    named: Named,
    /// Whether it is on the same plane as the step after it, if that matters.
    same_plane: Option<bool>,
    /// The longest time between the starts.
    gap: u64,
}

/// When an operation may fail.
#[derive(Clone, Debug)]
pub(crate) struct When {
    own: Named,
    /// The last one first.
    earlier: Vec<EarlierStep>,
    /// An op_state and a part of it, in percent.
    state: Option<(BaseId, PhaseKind, u64, u64)>,
    blocks: Option<(i64, i64)>,
    erases: usize,
}

impl When {
    pub(crate) fn is_hit(&self, rows: &[PlantedRow], at: usize) -> bool {
        let row = &rows[at];
        let in_state = |(base, phase, from, to)| {
            row.phases.iter().any(|&(of, kind, passed)| of == base && kind == phase && (from..to).contains(&passed))
        };
        self.own.ops.contains(&row.op)
            && self.state.is_none_or(in_state)
            && self.blocks.is_none_or(|(from, to)| row.blocks.iter().any(|block| (from..=to).contains(block)))
            && row.erases >= self.erases
            && follows(&self.earlier, rows, at)
    }
}

/// Whether earlier steps come before a row.
fn follows(steps: &[EarlierStep], rows: &[PlantedRow], at: usize) -> bool {
    let Some((step, others)) = steps.split_first() else { return true };
    let row = &rows[at];
    let is_in_time = |one: &usize| row.time - rows[*one].time <= step.gap;
    let is_near = |one: &PlantedRow| {
        let meets = one.planes.iter().any(|plane| row.planes.contains(plane));
        let both = !one.planes.is_empty() && !row.planes.is_empty();
        one.die == row.die && step.same_plane.is_none_or(|same| both && same == meets)
    };
    let mut before = (0..at).rev().take_while(is_in_time);
    before.any(|one| step.named.ops.contains(&rows[one].op) && is_near(&rows[one]) && follows(others, rows, one))
}

/// A fault.
#[derive(Clone, Debug)]
pub(crate) struct RandomFault {
    pub(crate) when: When,
    /// In millionths.
    pub(crate) probability: u64,
}

/// What faults are drawn from.
pub(crate) struct RandomFaults<'a> {
    campaign: &'a PlantedCampaign,
    all: Vec<Named>,
    /// Those that faults may name.
    names: Vec<Named>,
    /// Those whose operations are on planes, and those whose operations are on blocks.
    on_planes: Vec<Named>,
    on_blocks: Vec<Named>,
    phases: Vec<(BaseId, PhaseKind)>,
}

impl<'a> RandomFaults<'a> {
    pub(crate) fn new(campaign: &'a PlantedCampaign) -> Self {
        let profile = &campaign.profile;
        let of_bases = |bases: &[BaseId]| -> Vec<OpId> {
            profile.ops.iter_ids().filter(|(_, op)| bases.contains(&op.base)).map(|(op, _)| op).collect()
        };
        let ops = profile.ops.iter_ids().map(|(id, op)| (op.name.clone(), vec![id]));
        let bases = profile.bases.iter_ids().map(|(id, base)| (base.name.clone(), of_bases(&[id])));
        let classes = nandseq_plan::classes_of(profile, &[]).into_iter().map(|(name, of)| (name, of_bases(&of)));
        let rows = || campaign.rows.iter().flatten().flatten();
        let mut counts = vec![0usize; profile.ops.len()];
        rows().for_each(|row| counts[row.op.index()] += 1);
        // What hardly ever starts is left out, and what starts nearly always.
        let started = rows().count();
        let is_usual = |named: &Named| {
            let own: usize = named.ops.iter().map(|op| counts[op.index()]).sum();
            own >= 150 && own * 4 <= started
        };
        let named: Vec<Named> = ops.chain(bases).chain(classes).map(|(text, ops)| Named { text, ops }).collect();
        let names: Vec<Named> = named.iter().filter(|named| is_usual(named)).cloned().collect();
        let always = |is_so: fn(&PlantedRow) -> bool| -> Vec<Named> {
            let holds = |named: &&Named| rows().filter(|row| named.ops.contains(&row.op)).all(is_so);
            names.iter().filter(holds).cloned().collect()
        };
        let (on_planes, on_blocks) = (always(|row| !row.planes.is_empty()), always(|row| !row.blocks.is_empty()));
        let mut phases: Vec<(BaseId, PhaseKind)> = Vec::new();
        let shown = rows().flat_map(|row| &row.phases).map(|(base, phase, _)| (*base, *phase));
        shown.for_each(|one| {
            if !phases.contains(&one) {
                phases.push(one);
            }
        });
        Self { campaign, all: named, names, on_planes, on_blocks, phases }
    }

    /// A fault by its number.
    pub(crate) fn draw(&self, number: u64) -> RandomFault {
        let mut draws = Draws(number.wrapping_mul(0x9e37_79b9) ^ 20);
        loop {
            let fault = self.any(number % 5, &mut draws);
            if self.can_be_found(&fault) {
                return fault;
            }
        }
    }

    fn any(&self, kind: u64, draws: &mut Draws) -> RandomFault {
        let mut one_of = |list: &[Named]| list[draws.below(list.len() as u64) as usize].clone();
        let (any, on_plane, on_block) = (one_of(&self.names), one_of(&self.on_planes), one_of(&self.on_blocks));
        let (first, middle, other) = (one_of(&self.names), one_of(&self.names), one_of(&self.on_planes));
        let mut gap = || {
            let scale = [5, 10, 20, 50, 100, 200, 400][draws.below(7) as usize];
            (scale + draws.below(scale)) * US
        };
        let (near, far) = (gap(), gap());
        let step = |named, same_plane, gap| EarlierStep { named, same_plane, gap };
        let mut when = When { own: any, earlier: Vec::new(), state: None, blocks: None, erases: 0 };
        match kind {
            0 => match draws.below(3) {
                0 => when.earlier = vec![step(first, None, far)],
                relation => {
                    when.own = on_plane;
                    when.earlier = vec![step(other, Some(relation == 1), far)];
                }
            },
            1 => when.earlier = vec![step(middle, None, near), step(first, None, far)],
            2 => {
                let (base, phase) = self.phases[draws.below(self.phases.len() as u64) as usize];
                let from = draws.below(9) * 10;
                when.state = Some((base, phase, from, from + 10 + draws.below(5) * 10));
            }
            3 => {
                when.own = on_block;
                let from = draws.below(56) as i64;
                when.blocks = Some((from, from + draws.below(12) as i64));
            }
            _ => {
                when.own = on_block;
                when.erases = 2 + draws.below(5) as usize;
            }
        }
        RandomFault { when, probability: 100_000 + draws.below(500_001) }
    }

    /// Whether the fault can be found at all, see above.
    fn can_be_found(&self, fault: &RandomFault) -> bool {
        let less = When { earlier: fault.when.earlier.iter().take(1).cloned().collect(), ..fault.when.clone() };
        let (mut own, mut hits, mut without, mut runs) = (0u64, 0u64, 0u64, 0u64);
        for rows in self.campaign.rows.iter().flatten() {
            let before = hits;
            for at in (0..rows.len()).filter(|at| fault.when.own.ops.contains(&rows[*at].op)) {
                own += 1;
                hits += u64::from(fault.when.is_hit(rows, at));
                without += u64::from(less.is_hit(rows, at));
            }
            runs += u64::from(hits > before);
        }
        let is_triple = fault.when.earlier.len() > 1;
        hits * fault.probability >= 15_000_000
            && runs * fault.probability >= 8_000_000
            && hits * 2 <= own
            && (!is_triple || without * 2 >= hits * 3)
    }

    pub(crate) fn text(&self, RandomFault { when, probability }: &RandomFault) -> String {
        let mut text = when.own.text.clone();
        for EarlierStep { named, same_plane, gap } in &when.earlier {
            text += &format!(", after {} within {} µs, same plane: {same_plane:?}", named.text, gap / US);
        }
        if let Some((base, phase, from, to)) = when.state {
            text += &format!(", at {from}-{to} % of {}.{}", self.campaign.profile.bases[base].name, phase.name());
        }
        if let Some((from, to)) = when.blocks {
            text += &format!(", blocks {from} to {to}");
        }
        if when.erases > 0 {
            text += &format!(", block erased {} or more times", when.erases);
        }
        text + &format!("; {} %", probability / 10_000)
    }

    /// The rank of the first suspect that is the truth.
    pub(crate) fn rank(&self, fault: &RandomFault, diagnosis: &Diagnosis) -> Option<usize> {
        let is_true = |what: &String| self.is_truth(&fault.when, what);
        let line =
            |suspect: &&nandseq_diagnose::Suspect| is_true(&suspect.what) || suspect.also_explains.iter().any(is_true);
        diagnosis.suspects.iter().find(line).map(|suspect| suspect.rank)
    }

    fn is_truth(&self, when: &When, what: &str) -> bool {
        let parts: Vec<&str> = what.split(", ").collect();
        let mut befores = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            if let Some(of) = part.strip_prefix("after ").or(part.strip_prefix("that after ")) {
                befores.push((of, parts.get(at + 1).copied().unwrap_or_default()));
            }
        }
        let says = |holds: &dyn Fn(&str) -> bool| parts.iter().any(|part| holds(part));
        let is_state = |(base, phase, from, to): (BaseId, PhaseKind, u64, u64)| {
            let state = format!("{}.{}", self.campaign.profile.bases[base].name, phase.name());
            says(&|part| {
                let range = part.strip_prefix("at ").and_then(|part| part.strip_suffix(&format!(" % of {state}")));
                let range = range.and_then(numbers).or((part == format!("in {state}")).then_some((0, 100)));
                range.is_some_and(|range| overlaps(range, (from, to)))
            })
        };
        let is_blocks = |(from, to): (i64, i64)| {
            let is_near = |range: (u64, u64)| overlaps((range.0, range.1 + 1), (from as u64, to as u64 + 1));
            says(&|part| part.strip_prefix("blocks ").and_then(numbers).is_some_and(is_near))
        };
        let is_erased = || {
            let least = |part: &str| part.strip_prefix("block erased ").and_then(numbers).map(|range| range.0);
            says(&|part| least(part).is_some_and(|least| least.abs_diff(when.erases as u64) <= 1))
        };
        self.is_family(&when.own, parts[0])
            && when.earlier.iter().all(|step| befores.iter().any(|before| self.is_step(step, *before)))
            && when.state.is_none_or(is_state)
            && when.blocks.is_none_or(is_blocks)
            && (when.erases == 0 || is_erased())
    }

    /// Whether a name is about operations of a step: all that it names are among them, or all of them are named.
    fn is_family(&self, of: &Named, name: &str) -> bool {
        let named = self.all.iter().find(|named| named.text == name);
        let holds = |one: &Named, other: &Named| other.ops.iter().all(|op| one.ops.contains(op));
        named.is_some_and(|named| holds(named, of) || holds(of, named))
    }

    /// Whether `NAME RELATION` and the distance after it are about an earlier step.
    fn is_step(&self, step: &EarlierStep, (of, distance): (&str, &str)) -> bool {
        let (name, relation) = of.split_once(' ').unwrap_or((of, ""));
        let is_relation = match step.same_plane {
            None => true,
            Some(true) => relation != "on the die" && relation != "on another plane",
            Some(false) => relation == "on another plane",
        };
        let is_gap = match distance.strip_suffix(" µs after its start").and_then(numbers) {
            Some((_, most)) => most * 5 >= step.gap / US * 2 && most * 2 <= step.gap / US * 5,
            None => distance.contains("its end") || distance.contains("operation"),
        };
        self.is_family(&step.named, name) && is_relation && is_gap
    }
}

/// The least and the greatest of `at most 5`, `3 or more`, `3 to 5`, `3-5`, each with a unit or not; fractions are cut.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let number = |word: &str| word.split('.').next().and_then(|word| word.parse::<u64>().ok());
    let all: Option<Vec<u64>> = text.split([' ', '-']).filter(is_number).map(number).collect();
    match all?.as_slice() {
        [most] if text.starts_with("at most") => Some((0, *most)),
        [least] if text.contains("or more") => Some((*least, u64::MAX)),
        [one] => Some((*one, *one)),
        [least, most] => Some((*least, *most)),
        _ => None,
    }
}

/// Whether two half-open ranges have half of what they hold together in common.
fn overlaps(one: (u64, u64), other: (u64, u64)) -> bool {
    let both = one.1.min(other.1).saturating_sub(one.0.max(other.0));
    both * 2 >= one.1.max(other.1) - one.0.min(other.0)
}
