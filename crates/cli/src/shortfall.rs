//! Why a share of a mix was not reached, as a code.

use nandseq_generate::ShareShortfall;

/// The code of a reason.
pub(crate) fn code(reason: &ShareShortfall) -> &str {
    match reason {
        ShareShortfall::NoWeight => "no_weight",
        ShareShortfall::ForcedSteps => "forced_steps",
        ShareShortfall::Refused(code) => code,
        ShareShortfall::DieTime => "die_time",
        ShareShortfall::NotEligible => "not_eligible",
        ShareShortfall::OthersShort => "others_short",
        ShareShortfall::RestShort => "rest_short",
        ShareShortfall::TooShort => "too_short",
    }
}
