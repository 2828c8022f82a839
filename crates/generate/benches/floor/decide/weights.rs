//! Distributions by class, drawn from without a decision that depends on the number.

use nandseq_device::Tables;
use nandseq_generate::{RandomNumbers, Stream, probability};
use nandseq_profile::{BaseId, CellTypeId, OpId, PhaseKey, Profile};

/// A set of classes, a bit each.
pub(super) type Classes = u128;

/// What the names of a class have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    pub(super) base: BaseId,
    pub(super) multi: bool,
    pub(super) cell: CellTypeId,
}

/// One of some things, drawn by weight with one number, one multiplication and one comparison (the alias method).
pub(super) struct Alias<T>(Vec<(u64, T, T)>);

impl<T: Copy> Alias<T> {
    fn new(weights: &[(T, u64)]) -> Self {
        let (count, total) =
            (weights.len() as u128, weights.iter().map(|&(_, weight)| u128::from(weight)).sum::<u128>());
        let mut left: Vec<(T, u128)> = weights.iter().map(|&(of, weight)| (of, u128::from(weight) * count)).collect();
        let mut slots = Vec::new();
        // The least takes a slot; the most fills it up.
        while let Some(least) = (0..left.len()).min_by_key(|&at| left[at].1) {
            let (of, weight) = left.swap_remove(least);
            let most = (0..left.len()).max_by_key(|&at| left[at].1);
            let other = most.map_or(of, |most| {
                left[most].1 = left[most].1.saturating_sub(total.saturating_sub(weight));
                left[most].0
            });
            slots.push(((((weight.min(total)) << 63) / total.max(1) * 2).min(u128::from(u64::MAX)) as u64, of, other));
        }
        Self(slots)
    }

    #[inline]
    pub(super) fn draw(&self, number: u64) -> T {
        let place = u128::from(number) * self.0.len() as u128;
        let (until, own, other) = self.0[(place >> 64) as usize];
        if (place as u64) < until { own } else { other }
    }
}

/// A distribution.
pub(super) struct Mix {
    pub(super) set: Classes,
    /// Draws a class from all of them.
    pub(super) any: Alias<u8>,
    /// Whether so many draws propose nothing that classes are drawn and asked for one after the other.
    pub(super) is_mostly_idle: bool,
    /// For each four classes the sum of the weights of any of them.
    sums: Box<[[[u64; 16]; 4]; 8]>,
    /// By class: draws one of its names, and whether there are several.
    names: Vec<Option<(Alias<OpId>, bool)>>,
}

/// The classes and distributions of a profile.
pub(super) struct Weights {
    pub(super) classes: Vec<Class>,
    mixes: Vec<Mix>,
    by_key: Vec<u16>,
}

impl Weights {
    pub(super) fn new(profile: &Profile, tables: &Tables) -> Self {
        let class = |op: OpId| {
            let info = tables.op(op);
            Class { base: info.base, multi: info.multi, cell: info.stated_cell_type }
        };
        let mut classes: Vec<Class> = tables.ops().map(|(op, _)| class(op)).collect();
        classes.sort_unstable();
        classes.dedup();
        assert!(classes.len() <= 128, "a set of classes is a word of 128 bits");
        let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
        let at = |op: OpId| classes.binary_search(&class(op)).expect("every name has a class");
        let is_delay = |class: usize| tables.base(classes[class].base).effects.delay;
        let mut by_key = vec![0; profile.phase_keys.len()];
        let mut mixes = Vec::new();
        for (key, entries) in &table {
            by_key[key.index()] = mixes.len() as u16;
            let mut names = vec![Vec::new(); classes.len()];
            for &(op, mass) in entries.iter().filter(|(_, mass)| *mass > 0.0) {
                names[at(op)].push((op, ((mass * (1u64 << 44) as f64) as u64).max(1)));
            }
            mixes.push(Mix::new(&names, is_delay));
        }
        Self { classes, mixes, by_key }
    }

    #[inline]
    pub(super) fn of(&self, key: PhaseKey) -> &Mix {
        &self.mixes[usize::from(self.by_key[key.index()])]
    }
}

impl Mix {
    fn new(names: &[Vec<(OpId, u64)>], is_delay: impl Fn(usize) -> bool) -> Self {
        let mass = |class: usize| names[class].iter().map(|&(_, weight)| weight).sum::<u64>();
        let classes = || (0..names.len()).map(|class| (class, mass(class))).filter(|&(_, mass)| mass > 0);
        let mut sums = Box::new([[[0; 16]; 4]; 8]);
        for (class, mass) in classes() {
            let (bit, sums) = (1 << (class % 4), &mut sums[class / 16][class / 4 % 4]);
            (0..bit).for_each(|before| sums[before | bit] = sums[before] + mass);
        }
        let total: u64 = classes().map(|(_, mass)| mass).sum();
        let idle: u64 = classes().filter(|&(class, _)| is_delay(class)).map(|(_, mass)| mass).sum();
        let weights: Vec<(u8, u64)> = classes().map(|(class, mass)| (class as u8, mass)).collect();
        let alias = |names: &Vec<(OpId, u64)>| (!names.is_empty()).then(|| (Alias::new(names), names.len() > 1));
        Self {
            set: classes().fold(0, |all, (class, _)| all | 1 << class),
            any: Alias::new(if weights.is_empty() { &[(0, 1)] } else { &weights }),
            is_mostly_idle: total > 0 && idle * 4 >= total,
            sums,
            names: names.iter().map(alias).collect(),
        }
    }

    /// A class of a set by weight; `None` if no class of the set has weight.
    #[inline(never)]
    pub(super) fn draw(&self, among: Classes, stream: &mut Stream) -> Option<usize> {
        let words = [among as u64, (among >> 64) as u64];
        let sixteen = |at: usize| (words[at / 4 % 2] >> (16 * (at % 4))) as u16 as usize;
        let mut begins = [0; 9];
        for (at, fours) in self.sums.iter().enumerate() {
            let bits = sixteen(at);
            let own =
                fours[0][bits % 16] + fours[1][bits >> 4 & 15] + fours[2][bits >> 8 & 15] + fours[3][bits >> 12 & 15];
            begins[at + 1] = begins[at] + own;
        }
        if begins[8] == 0 {
            return None;
        }
        let at = stream.below(begins[8]);
        let place: usize = begins[1..8].iter().map(|&begin| usize::from(begin <= at)).sum();
        let (bits, mut at, fours) = (sixteen(place), at - begins[place % 8], &self.sums[place % 8]);
        let first = fours[0][bits & 15];
        let second = first + fours[1][bits >> 4 & 15];
        let third = second + fours[2][bits >> 8 & 15];
        let four = usize::from(first <= at) + usize::from(second <= at) + usize::from(third <= at);
        at -= [0, first, second, third][four % 4];
        let (bits, sums) = (bits >> (4 * four) & 15, &fours[four % 4]);
        let of_four =
            [bits & 1, bits & 3, bits & 7].map(|before| usize::from(sums[before] <= at)).iter().sum::<usize>();
        Some(16 * place + 4 * four + of_four)
    }

    /// A name of a class by weight. One name alone takes no random number.
    #[inline]
    pub(super) fn name(&self, class: usize, stream: &mut Stream) -> Option<OpId> {
        let (names, are_several) = self.names[class].as_ref()?;
        Some(names.draw(if *are_several { stream.draw() } else { 0 }))
    }
}
