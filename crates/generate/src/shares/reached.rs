//! What was reached of shares, and why some were missed.

use nandseq_plan::model::WHOLE;

use super::state::{GREATEST, LEAST, MixState};
use super::{SETTLED, ShareReached, ShareShortfall, TOLERANCE};
use crate::reporting::RefusalReason;
use crate::setup::{Mix, Setup};

/// A phase between two runs: its shares, and what has started.
pub(crate) struct Shares<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) mix: &'a Mix,
    pub(crate) state: &'a MixState,
}

impl Shares<'_> {
    /// What was reached of each share that the mix states. `is_used_up` says of a share whether limits leave no address for its operations.
    pub(crate) fn reached(&self, is_used_up: impl Fn(usize) -> bool) -> Vec<ShareReached> {
        let total = self.state.total().max(1);
        let stated = self.mix.wanted.split_last().map_or(&[][..], |(_, stated)| stated);
        let reached = |(at, &wanted): (usize, &u32)| {
            let started = u128::from(self.state.shares[at].started);
            let reached = (started * u128::from(WHOLE) / u128::from(total)) as u32;
            let is_missed = u64::from(wanted.abs_diff(reached)) > TOLERANCE;
            ShareReached { wanted, reached, reason: is_missed.then(|| self.reason(at, &is_used_up)) }
        };
        stated.iter().enumerate().map(reached).collect()
    }

    /// How many operations of a share are wanted among those that have started.
    fn wanted(&self, at: usize) -> u64 {
        (u128::from(self.mix.wanted[at]) * u128::from(self.state.total()) / u128::from(WHOLE)) as u64
    }

    /// How many operations a share has beyond what is wanted of it: steps of chains, and others.
    fn excess(&self, at: usize) -> (u64, u64) {
        let (share, wanted) = (&self.state.shares[at], self.wanted(at));
        let forced = share.forced.saturating_sub(wanted);
        (forced, share.started.saturating_sub(wanted) - forced)
    }

    /// Why a share missed what is wanted.
    fn reason(&self, at: usize, is_used_up: impl Fn(usize) -> bool) -> ShareShortfall {
        let (share, total) = (&self.state.shares[at], self.state.total());
        let wanted = self.wanted(at);
        let has_settled = total >= SETTLED || share.level == GREATEST || share.level == LEAST;
        if share.started >= wanted {
            return self.reason_above(at, has_settled);
        }
        if !self.mix.has_weight[at] {
            return ShareShortfall::NoWeight;
        }
        if is_used_up(at) {
            return ShareShortfall::Refused(RefusalReason::Limit.code().to_owned());
        }
        let others = (0..self.mix.wanted.len()).filter(|&other| other != at).map(|other| self.excess(other));
        let (forced, free) = others.fold((0, 0), |sum, excess| (sum.0 + excess.0, sum.1 + excess.1));
        // Where chains leave no room, the share has most of the room that there is.
        let has_room = share.started - share.forced;
        let most_refused = share.refused.iter().max_by_key(|&(_, count)| count);
        let is_busy = self.state.occupied / u64::from(self.setup.tables.size.dies) >= self.state.time / 2;
        if forced >= (wanted - share.started) / 2 && has_room >= free && total > 0 {
            ShareShortfall::ForcedSteps
        } else if !has_settled {
            ShareShortfall::TooShort
        } else if let Some((code, _)) = most_refused.filter(|&(_, &count)| count > share.started) {
            ShareShortfall::Refused(code.clone())
        } else if is_busy && share.started >= wanted / 8 {
            ShareShortfall::DieTime
        } else {
            ShareShortfall::NotEligible
        }
    }

    /// Why a share has more than is wanted.
    fn reason_above(&self, at: usize, has_settled: bool) -> ShareShortfall {
        let (forced, free) = self.excess(at);
        let lacks = |other: usize| {
            let missing = self.wanted(other).saturating_sub(self.state.shares[other].started);
            u128::from(missing) * u128::from(WHOLE) > u128::from(TOLERANCE) * u128::from(self.state.total())
        };
        if forced > free {
            ShareShortfall::ForcedSteps
        } else if !has_settled {
            ShareShortfall::TooShort
        } else if (0..self.mix.wanted.len() - 1).any(|other| other != at && lacks(other)) {
            ShareShortfall::OthersShort
        } else {
            ShareShortfall::RestShort
        }
    }
}

#[cfg(test)]
mod tests {
    use nandseq_plan::model::MixShare;
    use nandseq_profile::builtin;

    use super::*;
    use crate::probability;
    use crate::shares::state::ShareState;

    /// The reasons of shares of READ, and of SR if there are two, after so many operations: all and the steps of chains, what no share names last.
    fn reasons<const N: usize>(wanted: &[u32], counts: [(u64, u64); N], used_up: bool) -> Vec<Option<ShareShortfall>> {
        let profile = builtin::profile();
        let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
        let share = |(name, &share): (&str, &u32)| {
            let is_of = |op: &nandseq_profile::OpId| profile.bases[profile.ops[*op].base].name == name;
            MixShare { name: name.to_owned(), ops: profile.ops.ids().filter(is_of).collect(), share }
        };
        let mix: Vec<MixShare> = ["READ", "SR"].into_iter().zip(wanted).map(share).collect();
        let setup = Setup::new(&profile, &table, &[]).expect("it has names").with_mix(&mix);
        let shares = counts.map(|(started, forced)| ShareState { started, forced, ..ShareState::default() }).to_vec();
        let state = MixState { time: 2_000, shares, ..MixState::default() };
        let mix = setup.mix.as_ref().expect("it was stated");
        let reached = Shares { setup: &setup, mix, state: &state }.reached(|_| used_up);
        reached.into_iter().map(|share| share.reason).collect()
    }

    #[test]
    fn a_share_was_missed_for_what_kept_it_from_its_operations() {
        use ShareShortfall::{ForcedSteps, NotEligible, OthersShort, Refused, RestShort, TooShort};
        let one = |wanted: u32, counts: [(u64, u64); 2]| reasons(&[wanted], counts, false).remove(0);
        assert_eq!(one(300_000, [(6_150, 0), (13_850, 6_000)]), None);
        // Each read forces its data output.
        assert_eq!(one(900_000, [(9_000, 0), (11_000, 9_000)]), Some(ForcedSteps));
        // What never starts is not kept from it by the chains of others.
        assert_eq!(one(600_000, [(0, 0), (20_000, 9_000)]), Some(NotEligible));
        assert_eq!(one(900_000, [(0, 0), (20_000, 13_000)]), Some(NotEligible));
        // What chains force is more than is wanted.
        assert_eq!(one(50_000, [(4_000, 3_900), (16_000, 0)]), Some(ForcedSteps));
        assert_eq!(one(50_000, [(4_000, 0), (16_000, 9_000)]), Some(RestShort));
        assert_eq!(one(50_000, [(40, 0), (460, 90)]), Some(TooShort));
        assert_eq!(reasons(&[50_000], [(0, 0), (500, 90)], true), [Some(Refused("limit".to_owned()))]);
        // The other share that is stated lacks what this one has too many of.
        let two = reasons(&[50_000, 300_000], [(4_000, 0), (3_000, 0), (13_000, 0)], false);
        assert_eq!(two, [Some(OthersShort), Some(NotEligible)]);
    }
}
