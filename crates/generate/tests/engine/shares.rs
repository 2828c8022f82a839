//! Shares of what starts: a site taken up in the middle of a phase says the same, and a phase begins its shares anew.

use std::fmt::Write as _;
use std::io;

use crate::share_mix::{operations, setup, shares};
use nandseq_generate::{Setup, ShareReached, ShareShortfall, Site};
use nandseq_plan::model::MixShare;
use nandseq_profile::{Profile, builtin};
use nandseq_trace::{Nowhere, Operation, Sink};

/// What has started, as text.
#[derive(Default)]
struct Started(String);

impl Sink for Started {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        writeln!(self.0, "{operation:?}").map_err(io::Error::other)
    }
}

fn setup_of(profile: &Profile, mix: &[MixShare]) -> Setup {
    setup(profile, mix).expect("it has names")
}

#[test]
fn a_site_taken_up_in_the_middle_of_a_phase_says_the_same() {
    let profile = builtin::profile();
    let mix = shares(&profile, &[("READ", 300_000), ("ERASE", 20_000), ("SR", 250_000), ("ETC", 100_000)]);
    let setup = setup_of(&profile, &mix);
    let (mut whole, mut split) = (Site::new(&setup, 5), Site::new(&setup, 5));
    for run in 0..12 {
        let [one, other] = [&mut whole, &mut split].map(|site| {
            let mut started = Started::default();
            site.run(&operations(700), &mut started).expect("memory does not fail");
            started.0
        });
        assert!(one == other, "run {run}");
        let text = serde_json::to_string(&split.state()).expect("a state is plain data");
        assert_eq!(split.state(), whole.state(), "state after run {run}");
        let state = serde_json::from_str(&text).expect("what was written reads back");
        split = Site::from_state(&setup, 5, &state).expect("its own state");
        assert_eq!(split.shares(), whole.shares());
    }
    // A state of other shares is refused.
    let fewer = setup_of(&profile, &mix[..1]);
    assert!(Site::from_state(&fewer, 5, &whole.state()).is_err());
    assert!(Site::from_state(&setup_of(&profile, &[]), 5, &whole.state()).is_err());
    assert!(Site::from_state(&setup, 5, &Site::new(&fewer, 5).state()).is_err());
    assert!(Site::from_state(&setup, 5, &Site::new(&setup_of(&profile, &[]), 5).state()).is_err());
}

#[test]
fn no_shares_are_as_no_mix_and_a_phase_begins_them_anew() {
    let profile = builtin::profile();
    let plain = setup_of(&profile, &[]);
    let mixed = setup_of(&profile, &shares(&profile, &[("READ", 500_000)]));
    let mut site = Site::new(&plain, 3);
    assert!(site.shares().is_empty() && !serde_json::to_string(&site.state()).expect("plain data").contains("mix"));
    site.run(&operations(500), &mut Nowhere).expect("memory does not fail");
    site.enter(&mixed);
    site.run(&operations(500), &mut Nowhere).expect("memory does not fail");
    assert!(site.shares()[0].reached > 0);
    site.enter(&mixed);
    assert_eq!(site.shares(), [ShareReached { wanted: 500_000, reached: 0, reason: Some(ShareShortfall::TooShort) }]);
}
