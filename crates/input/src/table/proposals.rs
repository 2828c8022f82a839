//! Rows of phase_proposal_counts one after another.
//!
//! Promises what [`TableForm::proposal`] makes of each row. The table is sorted by its first four columns, so that most rows begin as
//! the one before: what that means is known then, and three columns are left to be read.

use nandseq_trace::rows::ProposalRow;

use super::fields::TableFault;
use super::form::TableForm;
use crate::fast_path::LineCursor;

/// Columns before `propose_time`.
const SHARED: usize = 4;

/// Reads rows, and remembers how the last one began.
#[derive(Debug, Default)]
pub struct Proposals {
    /// The first columns of the last row, with the comma behind them; not where anything is quoted.
    begin: Vec<u8>,
    before: Option<ProposalRow>,
}

impl Proposals {
    /// A row.
    ///
    /// # Errors
    /// As [`TableForm::proposal`].
    pub fn row(&mut self, form: &TableForm, line: &[u8]) -> Result<ProposalRow, TableFault> {
        let again = self.before.and_then(|before| row_after(form, &before, line.strip_prefix(&*self.begin)?));
        if let Some(row) = again {
            return Ok(row);
        }
        let row = form.proposal(line)?;
        self.begin.clear();
        let mut commas = memchr::memchr_iter(b',', line);
        self.before =
            commas.nth(SHARED - 1).map(|at| &line[..=at]).filter(|begin| !begin.contains(&b'"')).map(|begin| {
                self.begin.extend_from_slice(begin);
                row
            });
        Ok(row)
    }
}

/// A row that differs from the one before in its last columns, which are `rest`; `None` if it takes a closer look to know what
/// they say.
fn row_after(form: &TableForm, before: &ProposalRow, rest: &[u8]) -> Option<ProposalRow> {
    let mut cursor = LineCursor::new(rest);
    let time = cursor.exact_time()?;
    let op = form.op(cursor.field()?)?;
    let count = cursor.last_number()?;
    Some(ProposalRow { time, op, count, ..*before })
}
