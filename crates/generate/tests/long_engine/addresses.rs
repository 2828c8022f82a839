//! Limits over ten million operations, and varied plans on varied devices: counted independently, judged by the verifier.

use crate::address_watch::{Watch, plan, setup};
use crate::random_plans::random_addresses;
use crate::vary::vary;
use nandseq_generate::{RunLimits, Site};
use nandseq_profile::{Profile, Ticks, builtin};

fn operations(count: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(40_000_000_000), max_ops: Some(count), ..RunLimits::default() }
}

/// Runs of a site under a plan with all entries in force; each count stays within its limit. Returns how many limits were reached.
fn within(profile: &Profile, text: &str, (runs, count): (u64, u64), seed: u64) -> u64 {
    let plan = plan(profile, text);
    let all: Vec<usize> = (0..plan.addresses.len()).collect();
    let Some(setup) = setup(profile, &plan, &all) else { return 0 };
    let (mut watch, mut site) = (Watch::new(profile), Site::new(&setup, seed));
    for run in 0..runs {
        if run % 2 == 1 {
            site = Site::from_state(&setup, seed, &site.state()).expect("its own state");
        }
        site.run(&operations(count), &mut watch).expect("memory does not fail");
        watch.end_run();
        for entry in &plan.addresses {
            let limits = [entry.limits.erases_per_block, entry.limits.reads_per_block, entry.limits.reads_per_page];
            for (greatest, limit) in watch.greatest(entry).into_iter().zip(limits) {
                assert!(
                    limit.is_none_or(|limit| greatest <= limit),
                    "{greatest} exceeds {limit:?}: {} {text}",
                    profile.name
                );
            }
        }
        let open = plan.addresses.iter().filter_map(|entry| entry.limits.open_blocks).min();
        assert!(open.is_none_or(|open| watch.most_open <= open as usize), "{}: {text}", profile.name);
        assert!(site.limits().iter().all(|limit| limit.greatest <= limit.limit), "{:?}", site.limits());
    }
    site.limits().iter().map(|limit| limit.reached).sum()
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored addresses::limits_are_never_exceeded_over_ten_million_operations"]
fn limits_are_never_exceeded_over_ten_million_operations() {
    let profile = builtin::profile();
    let text = "addresses: {stress: {regions: [{blocks: 0-31, weight: 3}, {blocks: 32-1019, pages: 0-199}], \
                limits: {erases_per_block: 3000, reads_per_block: 100000, reads_per_page: 1000, open_blocks: 40}}}";
    assert!(within(&profile, text, (10, 1_000_000), 1) > 0);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored addresses::varied_plans_on_varied_devices_break_no_rule_and_no_limit"]
fn varied_plans_on_varied_devices_break_no_rule_and_no_limit() {
    let builtin = builtin::profile();
    let mut reached = 0;
    for number in 0..200 {
        let profile = vary(&builtin, number);
        reached += u64::from(within(&profile, &random_addresses(&profile, number), (4, 2_500), number) > 0);
    }
    assert!(reached > 40, "limits were reached on {reached} devices");
}

#[test]
fn a_few_varied_plans_on_varied_devices_break_no_rule_and_no_limit() {
    let builtin = builtin::profile();
    for number in 300..316 {
        let profile = vary(&builtin, number);
        within(&profile, &random_addresses(&profile, number), (3, 800), number);
    }
}
