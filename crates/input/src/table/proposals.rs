//! A fast path for the rows of phase_proposal_counts.
//!
//! Each row is the same as that of [`TableForm::proposal`]. The table is sorted by its first four columns, so most rows begin
//! like the row before. Their first four columns are taken from that row, and only three columns are read.

use nandseq_trace::rows::ProposalRow;

use super::fields::TableFault;
use super::form::TableForm;
use crate::fast_path::LineCursor;

/// The number of columns before `propose_time`.
const SHARED: usize = 4;

/// A reader of rows that keeps the beginning of the last row.
#[derive(Debug, Default)]
pub struct Proposals {
    /// The first columns of the last row, with the comma behind them. Not used if `before` is `None`.
    begin: Vec<u8>,
    /// The last row; `None` if its first columns contain a quote.
    before: Option<ProposalRow>,
}

impl Proposals {
    /// Reads a row.
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

/// A row whose first columns are those of `before` and whose last columns are `rest`. `None` if `rest` is not in the plain form,
/// or has a fault.
fn row_after(form: &TableForm, before: &ProposalRow, rest: &[u8]) -> Option<ProposalRow> {
    let mut cursor = LineCursor::new(rest);
    let time = cursor.exact_time()?;
    let op = form.op(cursor.field()?)?;
    let count = cursor.last_number()?;
    Some(ProposalRow { time, op, count, ..*before })
}
