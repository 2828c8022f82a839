//! Phenomena at which real parts fail: each comes up within ten simulated seconds, as the events at the sink show.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use nandseq_generate::probability::{DEFAULT_TABLE_SEED, of_profile};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Profile, Target, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Proposal, Sink};

/// An operation as it started.
#[derive(Clone, Debug)]
struct Started {
    uid: u64,
    base: String,
    start: Ticks,
    /// When CORE_BUSY is over if nothing cuts it.
    busy_end: Ticks,
    targets: Vec<Target>,
    proposal: Proposal,
    is_first: bool,
    /// The window in which a target was when it started.
    window: Option<PhaseKind>,
    /// How many dies show it.
    dies: u8,
    /// What was suspended when it started, since when.
    suspended: BTreeMap<u64, Ticks>,
}

/// What becomes of an operation, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Suspended,
    Resumed(Ticks),
    Reset,
}

struct History<'p> {
    profile: &'p Profile,
    all: Vec<Started>,
    fates: BTreeMap<u64, Vec<Fate>>,
    suspended: BTreeMap<u64, Ticks>,
    /// The operations that a reset ended, by the place in `all` of the reset.
    aborted: BTreeMap<usize, Vec<u64>>,
}

impl Sink for History<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let op = &self.profile.ops[operation.op];
        let base = &self.profile.bases[op.base];
        let mut busy_end = operation.start;
        for (phase, &duration) in base.phases.iter().zip(&op.durations) {
            if !phase.kind.is_window() {
                busy_end += duration;
            }
        }
        let mut windows = operation.states.iter().filter_map(|state| state.phase).filter(|phase| phase.is_window());
        self.all.push(Started {
            uid: operation.uid,
            base: base.name.clone(),
            start: operation.start,
            busy_end,
            targets: operation.targets.to_vec(),
            proposal: *operation.proposal,
            is_first: operation.is_first,
            window: windows.next_back(),
            dies: operation.die_planes.map_or(0, |die_planes| die_planes.dies),
            suspended: self.suspended.clone(),
        });
        Ok(())
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        let fates = self.fates.entry(uid).or_default();
        match cut {
            Cut::Suspended => {
                fates.push(Fate::Suspended);
                self.suspended.insert(uid, at);
            }
            Cut::Reset => {
                fates.push(Fate::Reset);
                self.suspended.remove(&uid);
                self.aborted.entry(self.all.len()).or_default().push(uid);
            }
        }
        Ok(())
    }

    fn resumed(&mut self, uid: u64, from: Ticks, _: Ticks, _: Ticks) -> io::Result<()> {
        self.fates.entry(uid).or_default().push(Fate::Resumed(from));
        self.suspended.remove(&uid);
        Ok(())
    }
}

impl History<'_> {
    fn of(&self, uid: u64) -> &Started {
        &self.all[uid as usize - 1]
    }

    fn named<'a>(&'a self, base: &'a str) -> impl Iterator<Item = &'a Started> {
        self.all.iter().filter(move |one| one.base == base)
    }

    /// The chains whose bases are these, in this order, with others between them.
    fn chains<'a>(&'a self, bases: &'a [&'a str]) -> impl Iterator<Item = Vec<&'a Started>> {
        let heads = self.all.iter().enumerate().filter(|(_, one)| one.is_first && one.base == bases[0]);
        heads.filter_map(|(at, head)| {
            let mut steps = vec![head];
            let of_chain = |one: &&Started| !one.is_first && one.proposal == head.proposal;
            for one in self.all[at + 1..].iter().take(4_000).filter(of_chain) {
                if steps.len() < bases.len() && one.base == bases[steps.len()] {
                    steps.push(one);
                }
            }
            (steps.len() == bases.len()).then_some(steps)
        })
    }

    fn has_chain(&self, bases: &[&str], several_planes: bool) -> bool {
        self.chains(bases).any(|steps| (steps[0].targets.len() > 1) == several_planes)
    }

    /// Operations of a base that were suspended at least so often and ended in their time.
    fn suspended_often(&self, base: &str, times: usize) -> bool {
        self.fates.iter().any(|(&uid, fates)| {
            let count = fates.iter().filter(|fate| **fate == Fate::Suspended).count();
            count >= times && matches!(fates.last(), Some(Fate::Resumed(_))) && self.of(uid).base == base
        })
    }

    /// A program that was suspended while an erase of its die was.
    fn nested(&self) -> bool {
        self.named("PROGRAM_SUSPEND").any(|one| {
            let die = one.targets[0].die;
            let here = |uid: &&u64| self.of(**uid).targets[0].die == die;
            let bases: BTreeSet<&str> = one.suspended.keys().filter(here).map(|&uid| &*self.of(uid).base).collect();
            bases.contains("ERASE") && bases.len() > 1
        })
    }

    /// A chain that went on after its step had been suspended and resumed.
    fn went_on(&self) -> bool {
        self.fates.iter().any(|(&uid, fates)| {
            let Some(Fate::Resumed(from)) = fates.last() else { return false };
            let step = self.of(uid);
            let later = self.all[uid as usize..].iter().take(4_000);
            later.filter(|one| !one.is_first && one.proposal == step.proposal).any(|one| one.start > *from)
        })
    }

    /// A step that comes after another operation of its die has been resumed, which was suspended when the step before it ended.
    fn waited_for_another(&self) -> bool {
        let die = |one: &Started| one.targets[0].die;
        let mut before: BTreeMap<(Ticks, u8, u8), &Started> = BTreeMap::new();
        self.all.iter().any(|next| {
            let chain = (next.proposal.time, next.proposal.die.0, next.proposal.plane.0);
            let Some(step) = before.insert(chain, next).filter(|_| !next.is_first) else { return false };
            let between = &self.all[step.uid as usize..next.uid as usize - 1];
            let resumed = |uid: u64| {
                let fates = self.fates[&uid].iter();
                fates.filter_map(|fate| if let Fate::Resumed(from) = fate { Some(*from) } else { None })
            };
            let waited = |(&uid, &since): (&u64, &Ticks)| {
                let other = uid != step.uid && die(self.of(uid)) == die(step) && since <= step.busy_end;
                other && resumed(uid).any(|from| from >= step.busy_end && from <= next.start)
            };
            between.iter().any(|one| one.suspended.iter().any(waited)) && next.suspended.is_empty()
        })
    }

    /// An operation of one base, then of another on the same die.
    fn one_then_other(&self, one: &str, other: &str) -> bool {
        let first = self.named(one).map(|one| (one.targets[0].die, one.start)).collect::<Vec<_>>();
        let after = |last: &Started| first.iter().any(|&(die, start)| die == last.targets[0].die && start < last.start);
        self.named(other).any(after)
    }

    /// A chain that puts out the page before, then, after its end, the page that its cache read asked for.
    fn pipelined(&self, bases: [&str; 3]) -> bool {
        let [read, output, end] = bases;
        let same = |one: &Started, other: &Started| {
            let address = |one: &Started| (one.targets[0].plane, one.targets[0].block, one.targets[0].page);
            address(one) == address(other)
        };
        self.chains(&[read, output, end, output]).any(|steps| !same(steps[0], steps[1]) && same(steps[0], steps[3]))
    }

    /// A copyback read, then a program with what it read, into another block.
    fn copied(&self, program: &str, several_planes: bool) -> bool {
        self.chains(&["COPYBACK_READ", program]).any(|steps| {
            let blocks = |one: &Started| one.targets.iter().map(|target| target.block).collect::<Vec<_>>();
            (steps[1].targets.len() > 1) == several_planes && blocks(steps[0]) != blocks(steps[1])
        })
    }

    /// A recovery read of what is suspended.
    fn recovered(&self) -> bool {
        self.named("RECOVERY_RD").any(|one| one.suspended.keys().any(|&uid| self.of(uid).targets == one.targets))
    }

    /// Two operations of a base at once on one die.
    fn interleaved(&self, base: &str) -> bool {
        let mut last: BTreeMap<(u8, u8), Ticks> = BTreeMap::new();
        self.named(base).any(|one| {
            let Target { die, plane, .. } = one.targets[0];
            let beside = last.iter().any(|(&(other, at), &until)| other == die.0 && at != plane.0 && until > one.start);
            last.insert((die.0, plane.0), one.busy_end);
            beside
        })
    }

    /// A read of a die between two loads of its one-shot latch.
    fn read_between_loads(&self) -> bool {
        self.chains(&["ONESHOT_PROGRAM_LSB", "ONESHOT_PROGRAM_CSB"]).any(|steps| {
            let between = &self.all[steps[0].uid as usize..steps[1].uid as usize - 1];
            let reads =
                between.iter().filter(|one| ["READ", "READ4K", "PLANE_READ", "PLANE_READ4K"].contains(&&*one.base));
            reads.into_iter().any(|one| one.targets[0].die == steps[0].targets[0].die)
        })
    }

    /// An operation of a base that ended others.
    fn aborts(&self, base: &str) -> bool {
        self.aborted.iter().any(|(&at, uids)| !uids.is_empty() && self.all.get(at).is_some_and(|one| one.base == base))
    }
}

#[test]
fn each_phenomenon_comes_up_in_ten_simulated_seconds_of_the_built_in_device() {
    let profile = builtin::profile();
    let setup = Setup::new(&profile, &of_profile(&profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
    let mut history = History {
        profile: &profile,
        all: Vec::new(),
        fates: BTreeMap::new(),
        suspended: BTreeMap::new(),
        aborted: BTreeMap::new(),
    };
    let limits = RunLimits { run_until: Ticks::from_us(10_000_000), ..RunLimits::default() };
    Site::new(&setup, 1).run(&limits, &mut history).expect("memory does not fail");
    let h = &history;
    let dies = profile.topology.dies as u8;
    let loads = ["ONESHOT_PROGRAM_LSB", "ONESHOT_PROGRAM_CSB", "ONESHOT_PROGRAM_MSB"];
    let any = |base: &str| h.named(base).next().is_some();
    let windows = |base: &str, window| h.named(base).any(|one| one.window == Some(window));
    let copies = ["ONESHOT_COPYBACK_PROGRAM_LSB", "ONESHOT_COPYBACK_PROGRAM_CSB", "ONESHOT_COPYBACK_PROGRAM_EXEC_MSB"];
    let transferred = ["TRANSFER_TO_CACHE_LSB", "TRANSFER_TO_CACHE_CSB", "TRANSFER_TO_CACHE_MSB"];
    let seen = [
        ("an erase suspended several times", h.suspended_often("ERASE", 3)),
        ("a program suspended several times", h.suspended_often("PROGRAM_SLC", 2)),
        ("a one-shot program suspended several times", h.suspended_often("ONESHOT_COPYBACK_PROGRAM_EXEC_MSB", 3)),
        ("a program suspended while an erase of its die is", h.nested()),
        ("a chain that goes on after a suspension", h.went_on()),
        ("a chain that waits until another operation is resumed", h.waited_for_another()),
        ("a cache read chain", h.pipelined(["CACHE_READ", "DOUT", "CACHE_READ_END"])),
        ("a plane cache read chain", h.pipelined(["PLANE_CACHE_READ", "DOUT", "PLANE_CACHE_READ_END"])),
        ("a cache read in a data output window", windows("CACHE_READ", PhaseKind::DataOut)),
        ("a plane cache read in a data output window", windows("PLANE_CACHE_READ", PhaseKind::DataOut)),
        ("a cache program in a data input window", windows("CACHE_PROGRAM_SLC", PhaseKind::DataIn)),
        ("the next load in a data input window", windows("ONESHOT_PROGRAM_LSB", PhaseKind::DataIn)),
        ("a cache program chain", h.has_chain(&["CACHE_PROGRAM_SLC", "PROGRAM_SLC"], false)),
        ("a cache program chain of several planes", h.has_chain(&["CACHE_PROGRAM_SLC", "PROGRAM_SLC"], true)),
        (
            "a one-shot cache program chain",
            h.has_chain(&[loads[0], loads[1], "ONESHOT_CACHE_PROGRAM", loads[0]], false),
        ),
        (
            "a one-shot cache program chain of several planes",
            h.has_chain(&[loads[0], loads[1], "ONESHOT_CACHE_PROGRAM", loads[0]], true),
        ),
        ("a copyback", h.copied("COPYBACK_PROGRAM_SLC", false)),
        ("a copyback of several planes", h.copied("COPYBACK_PROGRAM_SLC", true)),
        ("a one-shot copyback", h.copied(copies[2], false)),
        ("a one-shot copyback of several planes", h.copied(copies[2], true)),
        ("a recovery read of a suspended program", h.recovered()),
        ("LSB, CSB, MSB, EXEC", h.has_chain(&[loads[0], loads[1], loads[2], "ONESHOT_PROGRAM_EXEC_MSB"], false)),
        (
            "LSB, CSB, MSB, EXEC on several planes",
            h.has_chain(&[loads[0], loads[1], loads[2], "ONESHOT_PROGRAM_EXEC_MSB"], true),
        ),
        ("LSB, CSB, EXEC", h.has_chain(&[loads[0], loads[1], "ONESHOT_PROGRAM_EXEC_MSB"], false)),
        ("LSB, CSB, MSB with 23h", h.has_chain(&[loads[0], loads[1], "ONESHOT_PROGRAM_MSB_23H"], false)),
        ("transfers to the cache", transferred.iter().all(|base| any(base))),
        ("a program of all word lines", any("ALLWL_PROGRAM")),
        ("a threshold check", any("DSL_VTH_CHECK")),
        ("a CAM read of the target", h.named("CAMREAD").any(|one| one.dies == dies)),
        ("a reset that ends what is under way", h.aborts("RESET")),
        ("a reset of a die that ends what is under way", h.aborts("RESET_LUN")),
        ("termination off and on again", h.one_then_other("ODTDISABLE", "ODTENABLE")),
        ("a parameter of a plane", any("PLANE_SETPARA")),
        ("page reads of several planes of a die at once", h.interleaved("PLANE_READ")),
        ("4K reads of several planes of a die at once", h.interleaved("PLANE_READ4K")),
        ("cache reads of several planes of a die at once", h.interleaved("PLANE_CACHE_READ")),
        ("reads between loads of the one-shot latch", h.read_between_loads()),
    ];
    let missing: Vec<&str> = seen.iter().filter(|(_, seen)| !seen).map(|&(name, _)| name).collect();
    assert_eq!(missing, [""; 0]);
}
