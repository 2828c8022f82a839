//! Reading the ledger of a site that is being made: [`PARTIAL_NAME`](super::PARTIAL_NAME).
//!
//! Every reader counts the same runs: those before the first line that is cut, is not readable or does not follow the line
//! before. A kill may leave such a line.

use std::io::{self, BufRead, Read as _};

use serde::de::DeserializeOwned;

use super::fault::{Fault, parse};
use super::numbers::RunNumbers;

/// The most bytes of a line. The first line lists sites, of which a batch has 100,000 at most.
const LONGEST: u64 = 1 << 24;

/// The first line and the runs; `None` if the first line is cut or not readable. `H` and `R` choose the fields that are read.
///
/// # Errors
/// If the input cannot be read. A name that leads out of the folder, or another schema, is an error with the [`Fault`] inside.
pub fn read_partial<H: DeserializeOwned, R: DeserializeOwned>(
    mut input: impl BufRead,
) -> io::Result<Option<(H, Vec<R>)>> {
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        input.by_ref().take(LONGEST).read_until(b'\n', line)?;
        io::Result::Ok(line.pop() == Some(b'\n'))
    };
    if !next(&mut line)? {
        return Ok(None);
    }
    let Some(head) = unless_refused(parse::<H>(&line))? else { return Ok(None) };
    let (mut runs, mut before) = (Vec::new(), None);
    while next(&mut line)? {
        let parsed = parse::<R>(&line).map_err(|fault| fault.in_line(runs.len() + 2));
        let Some(run) = unless_refused(parsed)? else { break };
        let numbers = parse::<RunNumbers>(&line).ok().filter(|numbers| numbers.fault(before).is_none());
        let Some(numbers) = numbers else { break };
        before = Some(numbers);
        runs.push(run);
    }
    Ok(Some((head, runs)))
}

/// The value, or `None` for a fault that only ends the list. A fault that [is a refusal](Fault::is_refusal) is an error.
fn unless_refused<T>(parsed: Result<T, Fault>) -> io::Result<Option<T>> {
    match parsed {
        Err(fault) if fault.is_refusal() => Err(io::Error::new(io::ErrorKind::InvalidData, fault)),
        parsed => Ok(parsed.ok()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::inside::InsideName;

    #[derive(Deserialize)]
    struct Named {
        file: Option<InsideName>,
    }

    fn count(text: &str) -> Option<usize> {
        read_partial::<IgnoredAny, IgnoredAny>(text.as_bytes()).unwrap().map(|(_, runs)| runs.len())
    }

    #[test]
    fn runs_count_up_to_the_first_line_that_is_not_whole_or_does_not_follow() {
        let run = |run: u64, index: u64| format!("{{\"run\":{run},\"run_index\":{index}}}\n");
        let whole = |runs: &[String]| format!("{{}}\n{}", runs.concat());
        assert_eq!((count(""), count("{}"), count("x\n"), count("{}\n")), (None, None, None, Some(0)));
        assert_eq!(count(&whole(&[run(4, 3), run(5, 4)])), Some(2));
        let torn = whole(&[run(1, 0), run(2, 1)]);
        assert_eq!(count(torn.trim_end()), Some(1));
        for wrong in [run(3, 2), run(1, 0), run(2, 2), run(0, 0), "{}\n".to_owned(), "\n".to_owned()] {
            assert_eq!(count(&whole(&[run(1, 0), wrong.clone(), run(2, 1)])), Some(1), "{wrong}");
        }
        assert_eq!(count(&whole(&[run(10_000_000, 9_999_999)])), Some(0));
        assert_eq!(count(&whole(&[run(u64::MAX, u64::MAX - 1)])), Some(0));
    }

    #[test]
    fn a_name_that_leads_out_is_an_error() {
        let text = "{}\n{\"run\":1,\"run_index\":0,\"file\":\"../a\"}\n";
        let error = read_partial::<IgnoredAny, Named>(text.as_bytes()).map(drop).unwrap_err();
        assert!(error.get_ref().unwrap().is::<Fault>(), "{error}");
        let text = text.replace("../", "");
        let (_, runs) = read_partial::<IgnoredAny, Named>(text.as_bytes()).unwrap().unwrap();
        assert_eq!(runs[0].file.as_ref().unwrap().as_str(), "a");
    }
}
