//! Operations to 90, 95, 99 and 100 % of a universe, plain against directed.
use nandseq_generate::closure::{Cell, Goal};
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Profile, ReadOptions, SourceFile, Ticks, builtin};
use nandseq_reach::{Universe, Verdict};
use nandseq_trace::{Operation, Sink};

struct Nothing<'p>(&'p Profile);
impl Sink for Nothing<'_> {
    fn operation(&mut self, o: &Operation<'_>) -> std::io::Result<()> {
        if std::env::var("TRACE").is_ok() {
            let p = o.proposal;
            println!(
                "{} {} d{} p{} {} {:?} first={} {}",
                o.start.0 / 1000,
                self.0.phase_keys[p.key_used].name,
                p.die.0,
                p.plane.0,
                p.time.0 / 1000,
                p.state.phase,
                o.is_first,
                self.0.ops[o.op].name
            );
        }
        Ok(())
    }
}

fn has_length(profile: &Profile, key: nandseq_profile::PhaseKey) -> bool {
    let info = &profile.phase_keys[key];
    let (Some(base), Some(phase)) = (info.base, info.phase) else { return false };
    let Some(at) = profile.bases[base].phases.iter().position(|one| one.kind == phase) else { return false };
    let _ = PhaseKind::Issue;
    profile.ops.iter().any(|op| op.base == base && op.durations.get(at).is_some_and(|&length| length > Ticks::ZERO))
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let profile = match args.get(1).map(String::as_str) {
        None | Some("-") => builtin::profile(),
        Some(path) => {
            let source = SourceFile::new(path, std::fs::read_to_string(path).unwrap());
            nandseq_profile::read(&source, ReadOptions { lenient: true }).0.unwrap()
        }
    };
    let directed = args.get(2).is_none_or(|a| a == "directed");
    let most: u64 = args.get(3).map_or(100, |a| a.parse().unwrap());
    let seed: u64 = args.get(4).map_or(1, |a| a.parse().unwrap());
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let universe = Universe::new(&profile, &table);
    let tenths = |key| if has_length(&profile, key) { 10 } else { 1 };
    let cells: Vec<Cell> = universe
        .pairs()
        .filter(|(_, _, v)| *v == Verdict::Reachable)
        .flat_map(|(key, op, _)| {
            let set = universe.tenths(key, op);
            (0..tenths(key)).filter(move |bin| set >> bin & 1 == 1).map(move |bin| Cell { key, op, bin })
        })
        .collect();
    let goal = Goal::new(&profile, cells.iter().copied(), tenths, directed);
    let n = goal.cells();
    let setup = Setup::new(&profile, &table, &[]).unwrap().with_goal(&profile, goal);
    let mut site = Site::new(&setup, seed);
    println!("N = {n}");
    let mut ops = 0;
    for percent in [50, 80, 90, 95, 97, 98, 99, 100] {
        let until = (n * percent).div_ceil(100);
        let limits = RunLimits {
            run_until: Ticks::from_us(10_000_000_000),
            max_ops: Some((most * n).saturating_sub(ops)),
            until_covered: Some(until),
            ..RunLimits::default()
        };
        let summary = site.run(&limits, &mut Nothing(&profile)).unwrap();
        ops += summary.ops;
        let r = site.reached().unwrap();
        println!(
            "{percent:3} %: {} of {n}, {ops} operations = {:.2} N, {} us",
            r.hit,
            ops as f64 / n as f64,
            summary.end.0 / 1_000_000
        );
        if r.hit < until {
            break;
        }
    }
    if args.get(5).is_some() {
        for (cell, hits) in cells.iter().zip(site.hits()) {
            if hits == 0 {
                println!("{}\t{}\t{}", profile.phase_keys[cell.key].name, profile.ops[cell.op].name, cell.bin);
            }
        }
    }
}
