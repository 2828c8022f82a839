//! What an operation leads to: how much that lacks hits its phases, and what may follow them, would let in.
//!
//! A coarse picture: which bases can be proposed under which key, whatever lasts. Its values decide only what is preferred where
//! nothing that lacks hits can start.

use nandseq_device::{BaseInfo, Device, Effects, PlaneLogic, Tables};
use nandseq_profile::model::DeviceState;
use nandseq_profile::{BaseId, BaseSet, Die, PhaseKey, Plane, Profile};

use super::{Goal, Tally};
use crate::classes::Class;
use crate::setup::Setup;

/// As many cells under one key are worth going for; the rest comes with further visits.
const WORTH: u64 = 10;
/// Values are whole numbers of this part.
const UNIT: u64 = 64;
/// Operations that values look ahead.
const AHEAD: usize = 6;

/// What a base leads to.
#[derive(Clone, Debug)]
struct Way {
    /// The keys of its phases, and that of its end.
    keys: Vec<PhaseKey>,
    /// What can be proposed once it has ended.
    next: BaseSet,
    /// Chains that may follow: their share of 256, and the bases of their steps.
    chains: Vec<(u64, Vec<BaseId>)>,
}

/// What every base leads to, and what ends a lasting state.
#[derive(Clone, Default, Debug)]
pub(super) struct Map {
    ways: Vec<Way>,
    /// Switches termination on.
    terminating: BaseSet,
    /// Resumes.
    resuming: BaseSet,
    /// Goes on with, or uses, what is in a latch.
    latched: BaseSet,
    /// Ends a cache program.
    ending_cache: BaseSet,
    /// Goes on with, or ends, a cache read.
    cache_reading: BaseSet,
    /// Puts data out.
    output: BaseSet,
    /// Takes its data from a copyback read.
    copyback: BaseSet,
    /// Takes a next page.
    programs: BaseSet,
}

impl Map {
    pub(super) fn new(profile: &Profile, tables: &Tables, goal: &Goal) -> Self {
        let mut under = vec![BaseSet::EMPTY; goal.spans.len()];
        for pair in &goal.pairs {
            under[pair.key.index()].insert(tables.op(pair.op).base);
        }
        let all = under.iter().fold(BaseSet::EMPTY, |all, &some| all.union(some));
        let way = |(base, info): (BaseId, &BaseInfo)| {
            let shows = info.affects_state && info.occupies;
            let keys = keys_of(info).filter(|_| shows).collect();
            let effects = &info.effects;
            let frees = effects.resume.is_some();
            let next = match (shows, frees) {
                (_, true) => all,
                (true, false) => {
                    keys_of(info).fold(under[PhaseKey::DEFAULT.index()], |next, key| next.union(under[key.index()]))
                }
                (false, false) => BaseSet::EMPTY,
            };
            Way { keys, next, chains: chains(profile, base) }
        };
        let set = |wanted: fn(&Effects) -> bool| {
            let bases = tables.bases().filter(|(_, info)| wanted(&info.effects));
            bases.fold(BaseSet::EMPTY, |mut set, (base, _)| {
                set.insert(base);
                set
            })
        };
        Self {
            ways: tables.bases().map(way).collect(),
            terminating: set(|effects| effects.odt_enable),
            resuming: set(|effects| effects.resume.is_some()),
            latched: set(|effects| effects.load.is_some() || effects.consume.is_some()),
            ending_cache: set(|effects| effects.cache_program_end.is_some()),
            cache_reading: set(|effects| effects.cache_read.is_some() || effects.cache_read_end.is_some()),
            output: set(|effects| effects.data_out),
            copyback: set(|effects| effects.copyback_source),
            programs: set(|effects| effects.is_program() || effects.close || effects.load.is_some()),
        }
    }

    /// The lasting states of a die and a plane that forbid something: what ends each, and what it forbids.
    pub(super) fn barriers(&self, device: &Device, tables: &Tables, die: Die, plane: Plane) -> [(BaseSet, BaseSet); 6] {
        let logic = device.logic(die);
        let (cache, _) = logic.forbidden_by_plane(tables, plane);
        let unread = if logic.planes[usize::from(plane.0)].unread { BaseSet(u128::MAX) } else { BaseSet::EMPTY };
        [
            (
                self.terminating,
                if device.odt_disabled() { tables.forbidden_by(DeviceState::OdtDisabled) } else { BaseSet::EMPTY },
            ),
            (self.resuming, logic.forbidden_by_suspension(tables).minus(self.resuming)),
            (self.latched, logic.forbidden_by_latch(tables)),
            (self.ending_cache, logic.forbidden_by_cache_program(tables)),
            (self.cache_reading, cache),
            (self.output, unread),
        ]
    }

    /// What one of these classes is worth on a die because others, which lack hits, need what it leaves.
    pub(super) fn provides(&self, (setup, tally): (&Setup, &Tally), device: &Device, die: Die, class: Class) -> u64 {
        let effects = &setup.tables.base(class.base).effects;
        let missing = if effects.fill == Some(true) {
            let held = |plane: &&PlaneLogic| plane.page.is_some_and(|page| page.copyback);
            // Programs of several planes take from several.
            let enough = device.logic(die).planes.iter().filter(held).count() > 1;
            if enough { 0 } else { tally.missing_of(&setup.classes, |of| self.copyback.contains(of.base)) }
        } else if effects.erase {
            let (book, planes) = (&device.book, device.planes());
            let next = if class.multi { book.next_cells_together(die, planes) } else { book.next_cells(die, planes) };
            // What may be programmed on such a block, and can be on no block there is.
            let wanting = setup.tables.programs[class.cell.index()] & !next;
            tally.missing_of(&setup.classes, |of| {
                of.multi == class.multi && wanting >> of.cell.0 & 1 == 1 && self.programs.contains(of.base)
            })
        } else {
            0
        };
        UNIT * missing.min(WORTH)
    }

    /// The value of every base, by [`BaseId`].
    pub(super) fn values(&self, tally: &Tally) -> Vec<u64> {
        let gain = |way: &Way| {
            let missing = way.keys.iter().map(|&key| {
                let idle = u64::from(tally.idle[key.index()]);
                UNIT * tally.missing_under(key).min(WORTH) / (1 + idle * idle / 64)
            });
            missing.sum::<u64>()
        };
        let tired = |at: usize| tally.tiredness(BaseId::from(at));
        let gains: Vec<u64> = self.ways.iter().map(gain).collect();
        let with_chain = |(at, way): (usize, &Way)| {
            let of_chain = |(share, steps): &(u64, Vec<BaseId>)| {
                share * steps.iter().map(|step| gains[step.index()]).sum::<u64>() / 256
            };
            (gains[at] + way.chains.iter().map(of_chain).sum::<u64>()) / tired(at)
        };
        let own: Vec<u64> = self.ways.iter().enumerate().map(with_chain).collect();
        let mut values = own.clone();
        for _ in 0..AHEAD {
            let after = |way: &Way| way.next.iter().map(|base| values[base.index()]).max().unwrap_or(0) / 2;
            values =
                self.ways.iter().zip(&own).enumerate().map(|(at, (way, own))| own + after(way) / tired(at)).collect();
        }
        values
    }
}

/// The keys of a base's phases, and that of its end.
fn keys_of(info: &BaseInfo) -> impl Iterator<Item = PhaseKey> {
    [info.busy_key, info.window_key, Some(info.end_key)].into_iter().flatten()
}

fn chains(profile: &Profile, base: BaseId) -> Vec<(u64, Vec<BaseId>)> {
    let follow_ups = &profile.bases[base].follow_ups;
    let total: f64 = follow_ups.iter().map(|follow| follow.weight).sum();
    let chain = |follow: &nandseq_profile::model::FollowUp| {
        let steps = follow.chain.map(|chain| profile.chains[chain].steps.iter().map(|step| step.base).collect())?;
        Some(((follow.weight / total * 256.0) as u64, steps))
    };
    follow_ups.iter().filter_map(chain).collect()
}
