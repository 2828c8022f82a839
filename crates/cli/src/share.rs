//! A share of the bins, as `--until-coverage` takes it.

use std::fmt;
use std::str::FromStr;

use nandseq_profile::whole::leading_zero_line;

/// Thousandths of a percent in a whole.
const WHOLE: u32 = 100_000;

/// A share of the bins, in thousandths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Share(u32);

impl Share {
    /// The least number of bins, of `bins`, that is this share or more.
    pub(crate) fn of(self, bins: u64) -> u64 {
        (u128::from(bins) * u128::from(self.0)).div_ceil(u128::from(WHOLE)) as u64
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "not a percentage above 0 and up to 100, with at most three decimals".to_owned();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 3 {
            return Err(form());
        }
        if let Some(zero) = leading_zero_line(text) {
            return Err(zero);
        }
        let thousandths = format!("{whole}{decimals:0<3}").parse::<u32>().map_err(|_| form())?;
        if (1..=WHOLE).contains(&thousandths) { Ok(Self(thousandths)) } else { Err(form()) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_share_has_one_form_and_rounds_up() {
        for (text, form, of_1000) in [
            ("99", "99", 990),
            ("99.9", "99.9", 999),
            ("100", "100", 1000),
            ("0.001", "0.001", 1),
            ("050.50", "50.5", 505),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.to_string().as_str(), share.of(1000)), (form, of_1000), "{text}");
        }
        assert_eq!("99.99".parse::<Share>().unwrap().of(1000), 1000);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        assert!(
            "050".parse::<Share>().unwrap_err().contains("`050` is 50 as a decimal number, but 40 as an octal one")
        );
        for text in ["", "0", "0.000", "100.001", "101", "-1", "1e1", "nan", "99.", ".5", "99.1234", "+5", "99 "] {
            assert!(text.parse::<Share>().unwrap_err().contains("not a percentage"), "{text}");
        }
    }
}
