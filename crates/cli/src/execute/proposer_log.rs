//! `proposer_debug_*.log`: the proposals of a run and their outcomes.
//!
//! The text depends on the run alone. The summary counts accepted and refused proposals by phase key, op name and outcome, sorted
//! by these names. It has a line for every operation that did not start in the run, with the reason. The full form has a line for
//! each proposal, in order of time, and is written during the run.

use std::io::{self, BufWriter, Write};

use nandseq_generate::RunSummary;
use nandseq_generate::dead::LastingState;
use nandseq_output::format::UnnamedFile;
use nandseq_output::new_file::NewFile;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::{IdVec, OpId, PhaseKey, Profile, Ticks};
use nandseq_trace::files::FileKind;
use nandseq_trace::{Cut, Operation, Proposal, Sink};

use crate::absent::{Absences, StartCounts};
use crate::arguments::ProposerLog;

/// The outcome of a proposal that started.
const ACCEPTED: &str = "accepted";
/// Stands for the phase key in lines that are about all phase keys.
const ANY_KEY: &str = "-";
const SUMMARY_HEADER: &str = "phase_key\top_name\toutcome\tcount\n";
const FULL_HEADER: &str =
    "propose_time\tdie\tplane\tphase_key_used\tphase_key_virtual\top_name\toutcome\top_uid\tstart\n";

/// Greatest length of a header, in bytes.
pub(super) const LONGEST_HEADER: u64 = 256;

/// Whether a line, its line end included, is the header of such a log.
pub(super) fn is_header(line: &str) -> bool {
    [SUMMARY_HEADER, FULL_HEADER].contains(&line)
}

/// The log of one run.
pub(super) struct Log<'p> {
    profile: &'p Profile,
    file: BufWriter<NewFile>,
    rows: u64,
    form: LogForm,
}

enum LogForm {
    /// Accepted proposals so far, by phase key, then by [`OpId`]. The list of a key without any is empty.
    Summary(IdVec<PhaseKey, Vec<u64>>),
    Full,
}

impl<'p> Log<'p> {
    /// Starts a log among the files of a run; `None` if no log is wanted.
    pub(super) fn create(files: &mut RunFiles<'_>, how: ProposerLog, profile: &'p Profile) -> io::Result<Option<Self>> {
        let (form, header) = match how {
            ProposerLog::Off => return Ok(None),
            ProposerLog::Summary => {
                (LogForm::Summary(profile.phase_keys.iter().map(|_| Vec::new()).collect()), SUMMARY_HEADER)
            }
            ProposerLog::Full => (LogForm::Full, FULL_HEADER),
        };
        let mut file = BufWriter::new(files.start(FileKind::ProposerLog)?);
        file.write_all(header.as_bytes())?;
        Ok(Some(Self { profile, file, rows: 0, form }))
    }

    /// Completes the file. It gets its final name together with the other files of the run.
    pub(super) fn finish(
        mut self,
        summary: &RunSummary,
        (absences, phase): (&Absences<'_>, usize),
    ) -> io::Result<UnnamedFile> {
        let RunSummary { rejections, by_op, dead, at_end, .. } = summary;
        let (ops, bootstrap_ops) = (summary.ops, summary.bootstrap_ops);
        let at_end: &[_] = &at_end.iter().map(LastingState::device_states).collect::<Vec<_>>();
        let all_dead = dead.len() == self.profile.topology.dies as usize;
        if let LogForm::Summary(accepted) = &self.form {
            let absent: Vec<(OpId, String, u64)> = absences
                .of(&StartCounts { by_op, rejections, ops, bootstrap_ops, sites: 1, at_end, phase, all_dead })
                .into_iter()
                .map(|(op, absence)| (op, absence.code(), absence.times()))
                .collect();
            let absent =
                absent.iter().map(|(op, code, times)| (ANY_KEY, &*self.profile.ops[*op].name, &**code, *times));
            let rejected = rejections.iter().map(|(&(key, op, reason), &count)| ((key, op, reason.code()), count));
            let accepted = accepted.iter_ids().flat_map(|(key, counts)| {
                let counted = counts.iter().enumerate().filter(|&(_, &count)| count > 0);
                counted.map(move |(op, &count)| ((key, OpId::from(op), ACCEPTED), count))
            });
            let mut lines: Vec<(&str, &str, &str, u64)> = rejected
                .chain(accepted)
                .map(|((key, op, outcome), count)| {
                    (&*self.profile.phase_keys[key].name, &*self.profile.ops[op].name, outcome, count)
                })
                .chain(absent)
                .collect();
            lines.sort_unstable();
            self.rows = lines.len() as u64;
            for (key, op, outcome, count) in lines {
                writeln!(self.file, "{key}\t{op}\t{outcome}\t{count}")?;
            }
        }
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(UnnamedFile { file, rows: self.rows })
    }

    fn line(&mut self, proposal: &Proposal, op: OpId, outcome: &str, started: Option<(u64, Ticks)>) -> io::Result<()> {
        self.rows += 1;
        let keys = &self.profile.phase_keys;
        let (uid, start) = match started {
            Some((uid, start)) => (uid.to_string(), start.to_us_text()),
            None => (String::new(), String::new()),
        };
        writeln!(
            self.file,
            "{}\t{}\t{}\t{}\t{}\t{}\t{outcome}\t{uid}\t{start}",
            proposal.time.to_us_text(),
            proposal.die.0,
            proposal.plane.0,
            keys[proposal.key_used].name,
            keys[proposal.key_virtual].name,
            self.profile.ops[op].name,
        )
    }

    fn accepted(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        match &mut self.form {
            LogForm::Summary(counts) => {
                let counts = &mut counts[operation.proposal.key_used];
                if counts.is_empty() {
                    counts.resize(self.profile.ops.len(), 0);
                }
                counts[operation.op.index()] += 1;
                Ok(())
            }
            LogForm::Full => {
                let started = Some((operation.uid, operation.start));
                self.line(operation.proposal, operation.op, ACCEPTED, started)
            }
        }
    }
}

/// A sink that also logs proposals.
pub(super) struct Logged<'p, S> {
    /// Declared before `inner`, so that it is dropped first: the files of `inner` remove their folder if they are dropped
    /// unfinished.
    pub(super) log: Option<Log<'p>>,
    pub(super) inner: S,
}

impl<S: Sink> Sink for Logged<'_, S> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(log) = self.log.as_mut().filter(|_| operation.is_first) {
            log.accepted(operation)?;
        }
        self.inner.operation(operation)
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.inner.still_suspended(operation)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.inner.cut(uid, at, cut)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.inner.resumed(uid, from, busy_end, end)
    }

    fn wants_refusals(&self) -> bool {
        self.log.as_ref().is_some_and(|log| matches!(log.form, LogForm::Full))
    }

    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        match &mut self.log {
            Some(log @ Log { form: LogForm::Full, .. }) => log.line(proposal, op, reason, None),
            // The summary takes the counts of refusals from the run's summary at the end.
            Some(Log { form: LogForm::Summary(_), .. }) | None => Ok(()),
        }
    }
}
