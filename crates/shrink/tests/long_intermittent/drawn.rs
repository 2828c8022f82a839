//! Faults that a number gives.

use nandseq_device::Tables;
use nandseq_profile::Ticks;
use nandseq_shrink::{KeptOperation, RepeatRule};

use crate::searches::{Kind, kind};

/// Numbers one after another.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below another.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// Whether something happens that is so probable, in millionths.
    pub(crate) fn happens(&mut self, probability: u64) -> bool {
        self.below(1_000_000) < probability
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

#[derive(Clone, Debug)]
enum Shape {
    /// Kinds on one die, each within so many µs after the one before.
    InOrder(Vec<Kind>, Vec<u64>),
    /// A kind on block groups of a die.
    Address { kind: Kind, die: u8, groups: (u32, u32) },
    /// Anything that starts in these tenths of an erase or a program of its die.
    During { kind: Kind, tenths: (u64, u64) },
}

/// A fault that a number gives.
pub(crate) struct DrawnFault {
    shape: Shape,
    /// In millionths.
    pub(crate) probability: u64,
    /// The probability of a false fail of a try, in millionths.
    pub(crate) noise: u64,
}

const KINDS: [Kind; 3] = [Kind::Erase, Kind::Program, Kind::Read];

impl DrawnFault {
    pub(crate) fn of(number: u64) -> Self {
        let mut draws = Draws::of(number);
        let probability = (10 + draws.below(91)) * 10_000;
        let noise = draws.one_of(&[0, 5_000, 10_000]);
        let gaps = [300, 3000, 12_000];
        let shape = match draws.below(4) {
            0 => Shape::InOrder((0..2).map(|_| draws.one_of(&KINDS)).collect(), vec![draws.one_of(&gaps)]),
            1 => {
                let kinds = (0..3).map(|_| draws.one_of(&KINDS)).collect();
                Shape::InOrder(kinds, (0..2).map(|_| draws.one_of(&gaps)).collect())
            }
            2 => {
                let first = draws.below(240) as u32 / 4;
                let groups = (first, first + 1 + draws.below(8) as u32);
                Shape::Address { kind: draws.one_of(&KINDS), die: draws.below(2) as u8, groups }
            }
            _ => {
                let first = draws.below(9);
                let tenths = (first, first + 1 + draws.below(2));
                Shape::During { kind: draws.one_of(&[Kind::Erase, Kind::Program]), tenths }
            }
        };
        Self { shape, probability, noise }
    }

    /// As docs/shrinking.md says: five tries; if there is noise two of them, or of ten if fewer than half of the tries fail.
    pub(crate) const fn rule(&self) -> RepeatRule {
        match (self.noise, self.probability < 500_000) {
            (0, _) => RepeatRule { repeat: 5, fails_at_least: 1 },
            (_, false) => RepeatRule { repeat: 5, fails_at_least: 2 },
            (_, true) => RepeatRule { repeat: 10, fails_at_least: 2 },
        }
    }

    /// How many operations may fail.
    pub(crate) fn shows(&self, tables: &Tables, all: &[KeptOperation]) -> usize {
        match &self.shape {
            Shape::InOrder(kinds, gaps) => {
                let mut ends: Vec<&KeptOperation> = all.iter().filter(|kept| kind(tables, kept) == kinds[0]).collect();
                for (wanted, gap) in kinds[1..].iter().zip(gaps) {
                    let follows = |one: &KeptOperation, other: &KeptOperation| {
                        let is_near = other.start > one.start && other.start - one.start <= Ticks::from_us(*gap);
                        one.place.die == other.place.die && is_near
                    };
                    let next = all.iter().filter(|kept| kind(tables, kept) == *wanted);
                    ends = next.filter(|kept| ends.iter().any(|end| follows(end, kept))).collect();
                }
                ends.len()
            }
            Shape::Address { kind: of, die, groups: (first, end) } => {
                let is_there =
                    |kept: &&KeptOperation| kept.place.die.0 == *die && (*first..*end).contains(&kept.place.group);
                all.iter().filter(|kept| kind(tables, kept) == *of).filter(is_there).count()
            }
            Shape::During { kind: of, tenths: (first, end) } => {
                let is_during = |other: &KeptOperation, kept: &KeptOperation| {
                    let takes = tables.op(kept.op).ends_after().0;
                    let (from, until) = (kept.start.0 + takes * first / 10, kept.start.0 + takes * end / 10);
                    other.place.die == kept.place.die && (from..until).contains(&other.start.0)
                };
                let begun: Vec<&KeptOperation> = all.iter().filter(|kept| kind(tables, kept) == *of).collect();
                let shows =
                    |other: &&KeptOperation| begun.iter().any(|kept| other.item != kept.item && is_during(other, kept));
                all.iter().filter(shows).count()
            }
        }
    }

    /// The fewest operations that have the fault: with the erase before a program, the program before a read, the data output after it.
    pub(crate) fn least(&self) -> usize {
        let (kinds, more) = match &self.shape {
            Shape::InOrder(kinds, _) => (kinds.clone(), 0),
            Shape::Address { kind, .. } => (vec![*kind], 0),
            Shape::During { kind, .. } => (vec![*kind], 1),
        };
        let (mut least, mut is_erased, mut is_programmed) = (more, false, false);
        for kind in kinds {
            let before = match kind {
                Kind::Erase | Kind::Other => 0,
                Kind::Program => usize::from(!is_erased && !is_programmed),
                Kind::Read if is_programmed => 0,
                Kind::Read => 1 + usize::from(!is_erased),
            };
            least += before + if kind == Kind::Read { 2 } else { 1 };
            is_erased |= kind == Kind::Erase;
            is_programmed |= kind != Kind::Erase;
        }
        least
    }

    pub(crate) fn told(&self) -> String {
        let shape = match &self.shape {
            Shape::InOrder(kinds, gaps) => format!("{kinds:?} {gaps:?}"),
            Shape::Address { kind, die, groups } => format!("{kind:?} die {die} {groups:?}"),
            Shape::During { kind, tenths } => format!("during {kind:?} {tenths:?}"),
        };
        format!("{shape} p {} ‰ n {} ‰", self.probability / 1000, self.noise / 1000)
    }
}
