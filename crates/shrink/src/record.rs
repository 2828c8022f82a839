//! Tells a sink of a legal sequence, as the generator tells of a run: so that its tables are made by the same writers.
//!
//! The operations are numbered from 1. There are no proposals: each operation counts as one that was proposed when and where it starts.

use std::io;

use nandseq_device::{DataContents, DataRules, Device, SeenStatus, Tables};
use nandseq_profile::model::{ByAxis, StatusField};
use nandseq_profile::{Die, Profile, Target, Ticks};
use nandseq_trace::{Cut, DiePlanes, OpState, Operation, Proposal, Sink, Status};

use crate::history::SequenceHistory;
use crate::player::{Happened, Player};
use crate::repair::KeptOperation;

/// Tells `sink` of some operations that are legal one after the other at their times.
///
/// # Errors
/// Those of the sink; or if a rule forbids one of the operations.
pub fn record(
    profile: &Profile,
    history: &SequenceHistory<'_>,
    operations: &[KeptOperation],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let tables = history.tables;
    let rules = DataRules::new(profile, tables);
    let mut recording = Recording {
        tables,
        player: Player::of(tables, history.fresh.clone()),
        data: rules.as_ref().map(|rules| (rules, DataContents::new(&tables.size))),
        sees_suspension: profile.export.status.iter().any(|field| *field != StatusField::Ready),
        sink,
    };
    for (at, kept) in operations.iter().enumerate() {
        recording.operation(at as u32, kept)?;
    }
    recording.player.complete();
    recording.tell()
}

struct Recording<'r> {
    tables: &'r Tables,
    player: Player<'r>,
    data: Option<(&'r DataRules, DataContents)>,
    sees_suspension: bool,
    sink: &'r mut dyn Sink,
}

/// The number of an operation within the site.
const fn uid_of(item: u32) -> u64 {
    item as u64 + 1
}

impl Recording<'_> {
    /// Tells of what has happened since the last start.
    fn tell(&mut self) -> io::Result<()> {
        for happened in std::mem::take(&mut self.player.happened) {
            match happened {
                Happened::Ended { item, flight, suspended } => {
                    if let Some((rules, contents)) = &mut self.data {
                        let uids = (uid_of(item), suspended.map(uid_of));
                        contents.end((rules, self.tables), &flight, uids);
                    }
                }
                Happened::Cut { item, at, cut, occupied } => {
                    if occupied {
                        self.sink.cut(uid_of(item), at, cut)?;
                    }
                    match (cut, &mut self.data) {
                        (Cut::Reset, Some((_, contents))) if occupied => contents.reset(uid_of(item)),
                        (Cut::Reset | Cut::Suspended, _) => {}
                    }
                }
                Happened::Resumed { item, at, flight } => {
                    self.sink.resumed(uid_of(item), at, flight.end, flight.window_end)?;
                }
            }
        }
        Ok(())
    }

    fn operation(&mut self, item: u32, kept: &KeptOperation) -> io::Result<()> {
        let (tables, now, uid) = (self.tables, kept.start, uid_of(item));
        let op = tables.op(kept.op);
        let info = tables.base(op.base);
        self.player.advance(now);
        self.tell()?;
        let device = &self.player.device;
        let status = device.expected_status(op, &kept.place, now);
        let suspended = match status {
            Some(_) if self.sees_suspension => device.expected_suspension(tables, op, &kept.place),
            Some(_) | None => ByAxis::default(),
        };
        let mut targets = Vec::with_capacity(8);
        kept.place.targets(&tables.size, &mut targets);
        let of_state = if info.names_die { kept.place.die } else { Die(0) };
        let states = targets.iter().map(|target| op_state(device, of_state, target, now)).collect::<Vec<_>>();
        let mut passed = [None; 8];
        let passing = match &mut self.data {
            Some((rules, contents)) => {
                contents.start((rules, tables, device), (kept.op, &kept.place), uid, &mut passed)
            }
            None => 0,
        };
        let plane = targets[0].plane;
        let key = device.phase_key(kept.place.die, plane, now);
        let state = op_state(device, kept.place.die, &targets[0], now);
        let proposal = Proposal { time: now, die: kept.place.die, plane, key_used: key, key_virtual: key, state };
        let shown = device.shows_on(info, &kept.place);
        let started = self.player.start_at(item, (kept.op, &kept.place), now);
        started.map_err(|rule| io::Error::other(format!("operation {uid} breaks the rule {}", rule.code())))?;
        self.tell()?;
        self.sink.operation(&Operation {
            seq: uid,
            uid,
            op: kept.op,
            start: now,
            targets: &targets,
            status: status.map(into_trace),
            suspended,
            data: &passed[..passing],
            proposal: &proposal,
            is_first: true,
            states: &states,
            die_planes: shown.map(|(die, dies, planes)| DiePlanes { die, dies, planes }),
        })
    }
}

fn op_state(device: &Device, die: Die, target: &Target, now: Ticks) -> OpState {
    let phase = device.plane_phase(die, target.plane, now);
    OpState { of: phase.of, phase: phase.phase, start: phase.start, end: phase.end }
}

const fn into_trace(status: SeenStatus) -> Status {
    match status {
        SeenStatus::Busy => Status::Busy,
        SeenStatus::ExtReady => Status::ExtReady,
        SeenStatus::Ready => Status::Ready,
    }
}
