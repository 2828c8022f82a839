//! What a controller remembers of a phase, as data: a part of a site's state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::level::DOUBLE;

/// The greatest and the least level of a factor.
pub(super) const GREATEST: i32 = 10 * DOUBLE;
pub(super) const LEAST: i32 = -24 * DOUBLE;

/// So many changes in vain, and a share is given up.
pub(super) const GIVEN_UP: u32 = 32;

/// After so many bursts that followed on a lack, a share is one that comes in bursts.
pub(super) const BURSTS: u8 = 2;

/// A count that no site reaches.
const MOST: u64 = 1 << 56;

/// A number of shares, their counts since the phase began, and the factors of their weights.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MixState {
    /// How many operations have started when the factors change next.
    pub(super) next: u64,
    /// Simulated time of the phase, µs.
    pub(super) time: u64,
    /// How long its operations occupied their dies, µs.
    pub(super) occupied: u64,
    /// Whether other shares yield to those that come in bursts.
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) yields: bool,
    /// By share; the last is what no share names.
    pub(super) shares: Vec<ShareState>,
}

/// A share.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShareState {
    /// Operations that started.
    pub(super) started: u64,
    /// Of these the steps of chains.
    pub(super) forced: u64,
    /// What `started` was when the factors changed last.
    pub(super) seen: u64,
    /// Operations that started of late, weighed by how recently.
    pub(super) recent: u64,
    /// The level of its factor.
    pub(super) level: i32,
    /// Bursts that followed on a lack, at most [`BURSTS`].
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) bursts: u8,
    /// Whether hardly any started between the last two changes.
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) starved: bool,
    /// Whether it pauses until it is wanted again.
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) pauses: bool,
    /// Changes in a row that found the greatest factor in vain.
    pub(super) in_vain: u32,
    /// Refused proposals by the code of their reason.
    pub(super) refused: BTreeMap<String, u64>,
}

/// Whether a fact is not so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
const fn is_no(fact: &bool) -> bool {
    !*fact
}

/// Whether a number is 0.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
const fn is_none(count: &u8) -> bool {
    *count == 0
}

impl MixState {
    /// Whether it can be that of a site with so many shares.
    pub(crate) fn fits(&self, shares: usize) -> bool {
        let is_code = |code: &String| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let counts = |share: &ShareState| [share.started, share.forced, share.seen, share.recent];
        self.shares.len() == shares
            && [self.next, self.time, self.occupied].into_iter().all(|count| count <= MOST)
            && self.shares.iter().all(|share| {
                counts(share).into_iter().all(|count| count <= MOST)
                    && share.forced <= share.started
                    && share.seen <= share.started
                    && (LEAST..=GREATEST).contains(&share.level)
                    && share.in_vain <= GIVEN_UP
                    && share.bursts <= BURSTS
                    && share.refused.keys().all(is_code)
                    && share.refused.values().all(|&count| count <= MOST)
            })
    }

    /// Operations that started in the phase.
    pub(super) fn total(&self) -> u64 {
        self.shares.iter().map(|share| share.started).sum()
    }
}
