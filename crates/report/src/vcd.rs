//! A timeline as a value change dump (IEEE 1364), for waveform viewers.
//!
//! Each site is a scope with the signals `bus` (1: held), `dN_ready` (0: a plane of the die is in CORE_BUSY, as on the ready/busy
//! pin), and `dN_pM_state`, the op_state as a number. The header lists these numbers. Times are in ps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use nandseq_profile::Profile;
use nandseq_profile::model::PhaseKind;
use nandseq_trace::rows::{OpStateRow, StateId};

use crate::load::SiteTables;
use crate::phases;

/// Bits of an op_state: enough for five states of 128 bases.
const STATE_BITS: usize = 10;

/// A signal of a site. The order is that of the dump.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Signal {
    Bus,
    Ready(u64),
    State(u64, u64),
}

impl Signal {
    fn name(self) -> String {
        match self {
            Self::Bus => "bus".to_owned(),
            Self::Ready(die) => format!("d{die}_ready"),
            Self::State(die, plane) => format!("d{die}_p{plane}_state"),
        }
    }

    const fn bits(self) -> usize {
        match self {
            Self::Bus | Self::Ready(_) => 1,
            Self::State(..) => STATE_BITS,
        }
    }

    const fn initial(self) -> u64 {
        match self {
            Self::Bus | Self::State(..) => 0,
            Self::Ready(_) => 1,
        }
    }
}

/// The short name of a signal in the dump: printable characters, shortest first.
fn code(mut number: usize) -> String {
    const FIRST: u8 = b'!';
    const COUNT: usize = 94;
    let mut code = String::new();
    loop {
        code.push(char::from(FIRST + (number % COUNT) as u8));
        number /= COUNT;
        if number == 0 {
            return code;
        }
        number -= 1;
    }
}

/// A change of a signal: time in ps, index of the signal, new value.
type SignalChange = (u64, usize, u64);

/// Writes the sites as one dump; needs the timelines.
///
/// # Errors
/// The errors of `out`.
pub fn write(profile: &Profile, sites: &[SiteTables], mut out: impl Write) -> io::Result<()> {
    let states: Vec<StateId> = StateId::all(profile).collect();
    writeln!(out, "$comment")?;
    writeln!(out, "  Numbers of op_states:")?;
    for (number, state) in states.iter().enumerate() {
        // The word `$end` would end the comment.
        writeln!(out, "  {number} {}", state.text(profile).replace("$end", "$ end"))?;
    }
    writeln!(out, "$end\n$timescale 1 ps $end")?;
    let mut signals: Vec<Signal> = Vec::new();
    let mut changes: Vec<SignalChange> = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (site, number) in sites.iter().zip(1..) {
        let name: String = site.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let name = if name.is_empty() { format!("site_{number}") } else { name };
        // Two sites may have the same name, or get the same one here.
        let name = if names.contains(&name) { format!("{name}_{number}") } else { name };
        names.insert(name.clone());
        writeln!(out, "$scope module {name} $end")?;
        let first = signals.len();
        signals.extend(signals_of(profile));
        for (at, signal) in signals.iter().enumerate().skip(first) {
            writeln!(out, "$var wire {} {} {} $end", signal.bits(), code(at), signal.name())?;
        }
        writeln!(out, "$upscope $end")?;
        let place: BTreeMap<Signal, usize> =
            signals.iter().enumerate().skip(first).map(|(at, &signal)| (signal, at)).collect();
        collect(profile, site, &states, &place, &mut changes);
    }
    writeln!(out, "$enddefinitions $end")?;
    // Stable: of two changes of a signal at one time the later one counts.
    changes.sort_by_key(|&(time, signal, _)| (time, signal));
    dump(&signals, &changes, out)
}

fn signals_of(profile: &Profile) -> impl Iterator<Item = Signal> {
    let (dies, planes) = (u64::from(profile.topology.dies), u64::from(profile.topology.planes));
    let die =
        move |die| [Signal::Ready(die)].into_iter().chain((0..planes).map(move |plane| Signal::State(die, plane)));
    [Signal::Bus].into_iter().chain((0..dies).flat_map(die))
}

/// All changes of a site's signals.
fn collect(
    profile: &Profile,
    site: &SiteTables,
    states: &[StateId],
    place: &BTreeMap<Signal, usize>,
    changes: &mut Vec<SignalChange>,
) {
    let mut put = |signal: Signal, time: u64, value: u64| {
        if let Some(&at) = place.get(&signal) {
            changes.push((time, at, value));
        }
    };
    let mut held = Vec::new();
    let mut last_uid = None;
    for row in site.stretches.iter().filter(|row| !row.resumed) {
        if last_uid.replace(row.uid) != Some(row.uid) {
            held.extend(phases::on_bus(profile, row).into_iter().map(|(_, start, end)| (start.0, end.0)));
        }
    }
    for (time, any) in covered(held) {
        put(Signal::Bus, time, u64::from(any));
    }
    let mut busy: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    let mut planes: BTreeMap<(u64, u64), Vec<&OpStateRow>> = BTreeMap::new();
    for row in &site.segments {
        if matches!(row.state.parts(), Some((_, Some(PhaseKind::CoreBusy)))) {
            busy.entry(row.die.0.into()).or_default().push((row.start.0, row.end.0));
        }
        planes.entry((row.die.0.into(), row.plane.0.into())).or_default().push(row);
    }
    for (die, intervals) in busy {
        for (time, any) in covered(intervals) {
            put(Signal::Ready(die), time, u64::from(!any));
        }
    }
    let numbers: HashMap<StateId, u64> = states.iter().copied().zip(0..).collect();
    let number = |state: StateId| numbers.get(&state).copied().unwrap_or_default();
    for ((die, plane), mut rows) in planes {
        rows.sort_by_key(|row| (row.start, row.end));
        for (at, row) in rows.iter().enumerate() {
            put(Signal::State(die, plane), row.start.0, number(row.state));
            if rows.get(at + 1).is_none_or(|next| next.start > row.end) {
                put(Signal::State(die, plane), row.end.0, number(ended(row.state)));
            }
        }
    }
}

/// The op_state of a plane after one that nothing follows: the END of its base.
fn ended(state: StateId) -> StateId {
    state.parts().map_or(state, |(base, _)| StateId::of(base, None))
}

/// The times from which on at least one of some intervals holds (`true`), and from which on none does (`false`).
fn covered(mut intervals: Vec<(u64, u64)>) -> Vec<(u64, bool)> {
    intervals.sort_unstable();
    let mut changes: Vec<(u64, bool)> = Vec::new();
    for (start, end) in intervals.into_iter().filter(|(start, end)| start < end) {
        match changes.last_mut() {
            Some((last, _)) if *last >= start => *last = end.max(*last),
            Some(_) | None => changes.extend([(start, true), (end, false)]),
        }
    }
    changes
}

/// Writes initial values and changes, leaving out what changes nothing.
fn dump(signals: &[Signal], changes: &[SignalChange], mut out: impl Write) -> io::Result<()> {
    let mut values: Vec<u64> = signals.iter().map(|signal| signal.initial()).collect();
    // Changes at the very start are initial values: readers differ on two values at one time.
    for &(_, signal, value) in changes.iter().take_while(|&&(time, ..)| time == 0) {
        values[signal] = value;
    }
    let write = |out: &mut dyn Write, at: usize, value: u64| {
        if signals[at].bits() == 1 {
            writeln!(out, "{value}{}", code(at))
        } else {
            writeln!(out, "b{value:b} {}", code(at))
        }
    };
    writeln!(out, "#0\n$dumpvars")?;
    for (at, &value) in values.iter().enumerate() {
        write(&mut out, at, value)?;
    }
    writeln!(out, "$end")?;
    let mut now = 0;
    for (at, &(time, signal, value)) in changes.iter().enumerate() {
        let overruled = changes.get(at + 1).is_some_and(|next| (next.0, next.1) == (time, signal));
        if overruled || values[signal] == value {
            continue;
        }
        if time != now {
            writeln!(out, "#{time}")?;
            now = time;
        }
        values[signal] = value;
        write(&mut out, signal, value)?;
    }
    let end = changes.last().map_or(0, |&(time, ..)| time);
    if end > now {
        writeln!(out, "#{end}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn short_names_are_printable_and_never_the_same() {
        let codes: HashSet<String> = (0..20_000).map(code).collect();
        assert_eq!(codes.len(), 20_000);
        assert!(codes.iter().all(|code| code.bytes().all(|byte| (b'!'..=b'~').contains(&byte))));
        assert_eq!([code(0), code(93), code(94)], ["!", "~", "!!"]);
    }

    #[test]
    fn intervals_that_touch_are_one() {
        assert_eq!(
            covered(vec![(5, 7), (0, 2), (2, 3), (1, 2), (9, 9)]),
            [(0, true), (3, false), (5, true), (7, false)]
        );
    }
}
