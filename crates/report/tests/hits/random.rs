//! Random scenarios of the built-in device.

use nandseq_generate::{RandomNumbers, TableStream};

use super::tried::{plan, tried, until};

const BASES: [&str; 18] = [
    "ERASE",
    "PROGRAM_SLC",
    "READ",
    "PLANE_READ",
    "SR",
    "DOUT",
    "RESET_LUN",
    "RESET",
    "ERASE_SUSPEND",
    "ERASE_RESUME",
    "PROGRAM_SUSPEND",
    "PROGRAM_RESUME",
    "CACHE_READ",
    "PLANE_CACHE_READ",
    "CACHE_READ_END",
    "CACHE_PROGRAM_SLC",
    "COPYBACK_READ",
    "READ4K",
];
const HAVE_BLOCKS: [&str; 11] = [
    "ERASE",
    "PROGRAM_SLC",
    "READ",
    "PLANE_READ",
    "DOUT",
    "CACHE_READ",
    "PLANE_CACHE_READ",
    "CACHE_READ_END",
    "CACHE_PROGRAM_SLC",
    "COPYBACK_READ",
    "READ4K",
];
const PUT_OUT: [&str; 6] = ["READ", "PLANE_READ", "CACHE_READ", "PLANE_CACHE_READ", "COPYBACK_READ", "READ4K"];

struct Dice(TableStream);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// So many times of a hundred.
    fn percent(&mut self, of: usize) -> bool {
        self.below(100) < of
    }
}

fn random_time(dice: &mut Dice, (label, base): (usize, &str)) -> String {
    if dice.percent(45) {
        let phases: &[&str] = if PUT_OUT.contains(&base) {
            &["CORE_BUSY", "ISSUE", "DATA_OUT"]
        } else {
            &["CORE_BUSY", "CORE_BUSY", "ISSUE"]
        };
        let from = dice.below(9) * 10;
        let to = from + 10 * (1 + dice.below((100 - from) / 10));
        let at = if dice.percent(50) { format!(", at: {from}-{to} %") } else { String::new() };
        format!(", in: s{label}.{}{at}", dice.pick(phases))
    } else {
        let moment = dice.pick(&["start", "end", "CORE_BUSY"]);
        format!(", after: s{label}.{moment}, within: {}", dice.pick(&["5", "0-50", "10-300", "3-20"]))
    }
}

fn random_scenario(dice: &mut Dice, name: usize) -> String {
    let mut steps: Vec<String> = Vec::new();
    let mut bases: Vec<&str> = Vec::new();
    for at in 0..2 + dice.below(3) {
        let (base, other) = (dice.pick(&BASES), dice.pick(&BASES));
        let mut step = format!("base: [{base}, {other}]");
        if at > 0 && dice.percent(65) {
            let of = dice.below(at);
            step += &random_time(dice, (of, bases[of]));
        }
        if at > 0 && dice.percent(50) {
            let of = dice.below(at);
            let part = dice.pick(&["die", "plane", "block", "page"]);
            let have = HAVE_BLOCKS.contains(&base) && HAVE_BLOCKS.contains(&bases[of]);
            let relations: &[&str] = if matches!(part, "block" | "page") {
                &["same as", "other than", "next to"]
            } else {
                &["same as", "other than"]
            };
            if part == "die" || have {
                step += &format!(", {part}: {} s{of}", dice.pick(relations));
            }
        }
        if dice.percent(15) {
            step += &format!(", repeat: {}", 2 + dice.below(2));
        }
        if HAVE_BLOCKS.contains(&base) && dice.percent(30) {
            step += &format!(", multi: {}", dice.percent(50));
        }
        bases.push(base);
        steps.push(format!("{{s{at}: {{{step}}}}}"));
    }
    let axes: Vec<&str> = ["celltype", "die", "plane", "op of s0"]
        .into_iter()
        .filter(|axis| dice.percent(25) && (*axis != "plane" || HAVE_BLOCKS.contains(&bases[0])))
        .collect();
    let (axes, between) = (axes.join(", "), dice.pick(&["nothing", "anything"]));
    format!("  a{name}: {{hits: 4, each: [{axes}], between: {between}, steps: [{}]}}\n", steps.join(", "))
}

/// Every hit of random scenarios is a match. Returns how many there were.
fn hits_of(plans: std::ops::Range<u64>, us: u64) -> u64 {
    let of = |number: u64| {
        let mut dice = Dice(TableStream::new([0x6869_7473, 0], number));
        // What can never be meant is refused.
        let scenarios = (0..8).map(|at| random_scenario(&mut dice, at)).map(|one| format!("scenarios:\n{one}"));
        let meant: Vec<String> = scenarios.filter(|one| plan(one).is_ok()).collect();
        let text = format!("scenarios:\n{}", meant.iter().map(|one| &one["scenarios:\n".len()..]).collect::<String>());
        tried(&text, &until(us), 1).all_hits()
    };
    plans.map(of).sum()
}

#[test]
fn hits_of_random_scenarios_are_matches() {
    let hits = hits_of(0..4, 60_000);
    assert!(hits > 10, "{hits} hits");
}

#[test]
#[ignore = "long: cargo test --release --workspace --test hits -- --ignored"]
fn hits_of_many_random_scenarios_are_matches() {
    let hits = hits_of(100..300, 300_000);
    assert!(hits > 1_000, "{hits} hits");
}
