//! A digest of everything that sinks are told, to compare builds that must not differ: a rewrite of the engine, before and after.
//!
//! `cargo run --release --workspace --example digest`
//!
//! Prints a line for each part (its operations, its digest), then a total. The parts are the built-in device, the predecessor's
//! configurations where they are there, a large device, a bootstrap, a directed site, varied devices and adversaries.

#[path = "../tests/support/adversaries.rs"]
mod adversaries;
#[path = "../tests/support/coverage_model.rs"]
mod coverage_model;
#[path = "../tests/support/legacy.rs"]
mod legacy;
#[path = "../tests/support/vary.rs"]
mod vary;

use std::fmt::{self, Debug, Write as _};
use std::io;

use adversaries::adversary;
use coverage_model::coverage_model;
use legacy::legacy;
use nandseq_generate::probability::{self, DEFAULT_TABLE_SEED};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::{Block, Die, OpId, Profile, Ticks, builtin};
use nandseq_trace::{Cut, Operation, Proposal, Sink};
use vary::vary;

/// Hashes the text of every call by FNV-1a.
struct Digest {
    hash: u64,
    operations: u64,
}

impl Digest {
    const fn new() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, operations: 0 }
    }

    fn add(&mut self, call: &str, what: impl Debug) -> io::Result<()> {
        write!(self, "{call} {what:?};").map_err(io::Error::other)
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

impl Sink for Digest {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.operations += 1;
        self.add("operation", Told(operation))
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.add("still suspended", Told(operation))
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.add("cut", (uid, at, cut))
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.add("resumed", (uid, from, busy_end, end))
    }

    fn wants_refusals(&self) -> bool {
        true
    }

    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        self.add("refused", (proposal, op, reason))
    }
}

/// An operation as it is told without flags, so that builds compare that know more of expected data and status.
struct Told<'a>(&'a Operation<'a>);

impl Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { seq, uid, op, start, targets, status, suspended: _, data: _, .. } = self.0;
        let Operation { proposal, is_first, states, die_planes, .. } = self.0;
        let mut all = f.debug_struct("Operation");
        all.field("seq", seq).field("uid", uid).field("op", op).field("start", start).field("targets", targets);
        all.field("status", status).field("proposal", proposal).field("is_first", is_first).field("states", states);
        all.field("die_planes", die_planes).finish()
    }
}

/// How a device is run.
#[derive(Clone, Copy, Default)]
struct Plan {
    runs: u64,
    /// The operations of each run.
    operations: u64,
    bootstrap: bool,
    directed: bool,
    /// How many blocks of the first die are bad.
    bad: u32,
}

fn run(digest: &mut Digest, profile: &Profile, plan: Plan, seed: u64) -> io::Result<()> {
    let table = probability::of_profile(profile, DEFAULT_TABLE_SEED.wrapping_add(seed));
    let bad: Vec<(Die, Block)> = (0..plan.bad).map(|at| (Die(0), Block(at))).collect();
    let mut setup = match Setup::new(profile, &table, &bad) {
        Ok(setup) => setup,
        Err(error) => return digest.add("error", error.to_string()),
    };
    if plan.directed {
        setup = setup.with_coverage_model(profile, coverage_model(profile, &table, true));
    }
    let mut site = Site::new(&setup, seed);
    for _ in 0..plan.runs {
        let run_until = Ticks::from_us(1_000_000_000);
        let max_ops = Some(plan.operations);
        let limits = RunLimits { run_until, max_ops, bootstrap: plan.bootstrap, ..RunLimits::default() };
        match site.run(&limits, digest) {
            Ok(summary) => digest.add("run", summary)?,
            Err(error) => return digest.add("error", error.to_string()),
        }
    }
    digest.add("dead", site.dead_dies())
}

#[expect(clippy::print_stdout, reason = "an example that is run for what it prints")]
fn main() -> io::Result<()> {
    let mut all = Digest::new();
    let mut part = |name: &str, profiles: &[Profile], plan: Plan| {
        let mut digest = Digest::new();
        for (profile, number) in profiles.iter().zip(0..) {
            let blocks = profile.topology.blocks_per_die;
            let bad = if profiles.len() == 1 { 0 } else { (number as u32 % 3).min(blocks - 1) };
            run(&mut digest, profile, Plan { bad, ..plan }, 42 + number)?;
        }
        println!("{name:<16} {:>7} operations  {:016x}", digest.operations, digest.hash);
        all.operations += digest.operations;
        all.add(name, digest.hash)
    };
    let plan = |runs, operations| Plan { runs, operations, ..Plan::default() };
    let mut devices = vec![builtin::profile()];
    part("built-in", &devices, plan(2, 60_000))?;
    for name in ["config-2025-09.yaml", "config-2025-10.yaml"] {
        if let Some(profile) = legacy(name) {
            part(&name[..name.len() - 5], std::slice::from_ref(&profile), plan(2, 30_000))?;
            devices.push(profile);
        }
    }
    devices.truncate(2);
    let mut large = builtin::profile();
    (large.topology.dies, large.topology.blocks_per_die) = (16, 4_096);
    part("16 x 4,096", &[large], plan(1, 20_000))?;
    part("bootstrap", &devices[..1], Plan { bootstrap: true, ..plan(2, 10_000) })?;
    part("directed", &devices[..1], Plan { directed: true, ..plan(2, 5_000) })?;
    let device = |number: u64| &devices[number as usize % devices.len()];
    let varied: Vec<Profile> = (0..60).map(|number| vary(device(number), number)).collect();
    part("varied devices", &varied, plan(3, 700))?;
    let adversaries: Vec<Profile> = (0..40).map(|number| adversary(device(number), number / 2)).collect();
    part("adversaries", &adversaries, plan(3, 700))?;
    println!("{:<16} {:>7} operations  {:016x}", "total", all.operations, all.hash);
    Ok(())
}
