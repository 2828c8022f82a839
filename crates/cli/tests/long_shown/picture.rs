//! The picture of README.md: from a profile to a verdict, with a sequence, its timeline and its verdict as the program writes them.

use std::fmt::Write;
use std::fs;

use nandseq_input::{CsvFiles, folder};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_report::family::Family;
use nandseq_report::load::{self, SiteTables, Wanted};

use crate::runner::Folder;

/// The length of the run that the picture shows a part of.
const OPS: &str = "60000";
/// The time that the picture shows, in µs.
const WINDOW: u64 = 1400;
/// The time before the suspension of the program, in which the program is busy.
const LEAD: u64 = 80;
/// The most characters of a row of the sequence.
const WIDEST: usize = 130;

const DARK: &str = "#1b1f24";
const GREY: &str = "#57606a";

/// The families that the picture tells apart, with their colours.
const COLOURS: [(Family, &str); 4] = [
    (Family::Erase, "#d55e00"),
    (Family::Program, "#0072b2"),
    (Family::Read, "#009e73"),
    (Family::Suspension, "#cc79a7"),
];

/// A time without an operation between two stretches of a suspended one.
struct Gap {
    die: usize,
    family: Family,
    /// When the stretch before it begins.
    busy: u64,
    from: u64,
    to: u64,
}

/// Draws the picture.
pub(crate) fn way() -> String {
    let folder = Folder::new();
    folder.succeed(&["--ops", OPS, "--stamp", "261121", "--quiet"]);
    let verdict = String::from_utf8(folder.succeed(&["verify", "out"]).stdout).unwrap();
    let profile = builtin::profile();
    let files = folder::find(&folder.path().join("out")).unwrap();
    let site = load::site(&profile, &CsvFiles, &files[0], Wanted::ALL).unwrap();
    let sequence = fs::read_to_string(&site.runs[0].sequence).unwrap();
    let from = nested_suspension(&profile, &site);

    let mut picture = Picture::default();
    picture.panel("Profile: what a device can do (profiles/reference.yaml)", &stanza());
    picture.arrow("nandseqgen generate");
    picture.panel("Sequence: what a tester runs (operation_sequence)", &rows(&profile, &site, &sequence, from));
    picture.arrow("nandseqgen report, export, coverage");
    picture.timeline(&profile, &site, from);
    picture.arrow("nandseqgen verify: own code, same rules");
    let verdict: Vec<&str> = verdict.lines().collect();
    picture.panel("Verdict: whether a rule is broken", &verdict);
    let part = format!("from {} to {} µs", from.to_us_text(), end_of(from).to_us_text());
    picture.end(&format!("Made from the output of: nandseqgen --ops {OPS}, built-in device, {part}."))
}

fn end_of(from: Ticks) -> Ticks {
    Ticks(from.0 + Ticks::from_us(WINDOW).0)
}

/// The stanza of the built-in device that describes page reads.
fn stanza() -> Vec<&'static str> {
    let first = "  \"Read_{cell}{mode}\":";
    let mut lines = builtin::text().lines().skip_while(|line| *line != first);
    let rest = lines.clone().skip(1).take_while(|line| line.starts_with("   "));
    lines.by_ref().take(1).chain(rest).collect()
}

/// Where the picture begins: a program is suspended for reads while an erase of its die is suspended, and both go on in the
/// picture. Of all these places it is the one with the most reads.
fn nested_suspension(profile: &Profile, site: &SiteTables) -> Ticks {
    let gaps = gaps(profile, site);
    let is = |gap: &Gap, family| gap.family == family;
    let (lead, window) = (Ticks::from_us(LEAD).0, Ticks::from_us(WINDOW).0);
    let mut best: Option<(usize, u64)> = None;
    let is_busy = |gap: &&Gap| gap.busy + lead <= gap.from;
    for program in gaps.iter().filter(|gap| is(gap, Family::Program)).filter(is_busy) {
        let around = |gap: &&Gap| gap.die == program.die && gap.from < program.from && program.to < gap.to;
        let Some(erase) = gaps.iter().filter(|gap| is(gap, Family::Erase)).find(around) else { continue };
        let reads = site.stretches.iter().filter(|row| {
            row.die.index() == program.die
                && program.from <= row.start.0
                && row.end.0 <= program.to
                && Family::of(&profile.bases[profile.ops[row.op].base]) == Family::Read
        });
        let reads = reads.count();
        let start = (program.from - lead) / Ticks::from_us(10).0 * Ticks::from_us(10).0;
        if reads > 0 && erase.to + lead / 8 < start + window && best.is_none_or(|(most, _)| reads > most) {
            best = Some((reads, start));
        }
    }
    Ticks(best.expect("the run has a program that is suspended inside a suspended erase: make it longer").1)
}

/// The gaps of all suspended operations. Every target of an operation has the same ones.
fn gaps(profile: &Profile, site: &SiteTables) -> Vec<Gap> {
    let mut rows: Vec<_> = site.stretches.iter().collect();
    rows.sort_by_key(|row| (row.uid, row.die, row.plane, row.start));
    let pairs =
        rows.windows(2).filter(|pair| pair[1].resumed && pair[0].uid == pair[1].uid && pair[0].plane == pair[1].plane);
    let gap = |pair: &[&nandseq_trace::rows::TimelineRow]| Gap {
        die: pair[0].die.index(),
        family: Family::of(&profile.bases[profile.ops[pair[0].op].base]),
        busy: pair[0].start.0,
        from: pair[0].end.0,
        to: pair[1].start.0,
    };
    pairs.map(gap).collect()
}

/// The head of the sequence and six rows of the picture's time: what suspends and resumes, and the first row of each other
/// family, then further ones. Rows that are too long are left out.
fn rows<'a>(profile: &Profile, site: &SiteTables, sequence: &'a str, from: Ticks) -> Vec<&'a str> {
    let mut lines = sequence.lines();
    let head = lines.next().unwrap();
    let mut seen = Vec::new();
    let mut ranked = Vec::new();
    for (line, row) in lines.zip(&site.operations) {
        if row.time < from || row.time >= end_of(from) || line.chars().count() > WIDEST {
            continue;
        }
        let family = Family::of(&profile.bases[profile.ops[row.op].base]);
        let rank = if family == Family::Suspension { 0 } else { 1 + u8::from(seen.contains(&family)) };
        seen.push(family);
        ranked.push((rank, row.seq, line));
    }
    ranked.sort_unstable();
    ranked.truncate(6);
    ranked.sort_unstable_by_key(|(_, seq, _)| *seq);
    [head].into_iter().chain(ranked.into_iter().map(|(_, _, line)| line)).chain(["…"]).collect()
}

/// Shapes of the picture, from top to bottom.
#[derive(Default)]
struct Picture {
    shapes: String,
    /// Where the next shape may begin.
    top: u64,
}

impl Picture {
    fn text(&mut self, x: f64, y: u64, style: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        writeln!(self.shapes, r#"<text x="{x}" y="{y}" {style} xml:space="preserve">{text}</text>"#).unwrap();
    }

    fn rect(&mut self, x: f64, y: u64, width: f64, height: u64, style: &str) {
        let (x, width) = (rounded(x), rounded(width));
        writeln!(self.shapes, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" {style}/>"#).unwrap();
    }

    /// A frame with a title.
    fn frame(&mut self, title: &str, height: u64) {
        let top = self.top + 12;
        self.rect(16.0, top, 928.0, height, r##"fill="#f6f8fa" stroke="#d0d7de" rx="6""##);
        self.text(28.0, top + 20, &format!(r#"{} font-weight="bold""#, sans(13, DARK)), title);
        self.top = top + height;
    }

    /// A frame with lines of text.
    fn panel(&mut self, title: &str, lines: &[&str]) {
        let first = self.top + 52;
        self.frame(title, 40 + 17 * lines.len() as u64);
        let style = format!(r#"font-family="monospace" font-size="11" fill="{DARK}""#);
        for (at, line) in (0..).zip(lines) {
            self.text(28.0, first + 17 * at, &style, line);
        }
    }

    /// An arrow to what follows, with the command that leads there.
    fn arrow(&mut self, command: &str) {
        let y = self.top + 4;
        writeln!(
            self.shapes,
            r#"<path d="M480 {y} v22 m-6 -7 l6 7 l6 -7" fill="none" stroke="{GREY}" stroke-width="1.5"/>"#
        )
        .unwrap();
        self.text(494.0, y + 16, &sans(12, GREY), command);
        self.top += 22;
    }

    /// The op_states of all planes, their times and their colours.
    fn timeline(&mut self, profile: &Profile, site: &SiteTables, from: Ticks) {
        let (planes, top) = (u64::from(profile.topology.planes), self.top + 46);
        let tracks = u64::from(profile.topology.dies) * planes;
        self.frame("Timeline: which op_state each plane is in (op_state_timeline)", 84 + 17 * tracks);
        for track in 0..tracks {
            let y = top + 17 * track;
            self.text(28.0, y + 11, &sans(11, DARK), &format!("d{}-p{}", track / planes, track % planes));
            self.rect(76.0, y, 856.0, 14, r##"fill="#e7ebef""##);
        }
        for row in site.segments.iter().filter(|row| row.end > from && row.start < end_of(from)) {
            let (base, phase) = row.state.parts().unwrap();
            let family = Family::of(&profile.bases[base]);
            let Some((_, colour)) = COLOURS.iter().find(|(known, _)| *known == family) else { continue };
            let y = top + 17 * (row.die.index() as u64 * planes + row.plane.index() as u64);
            let (start, end) = (place(row.start.max(from), from), place(row.end.min(end_of(from)), from));
            let width = (end - start).max(0.6);
            match phase {
                Some(PhaseKind::Issue | PhaseKind::CoreBusy) => {
                    self.rect(start, y, width, 14, &format!(r#"fill="{colour}""#));
                }
                Some(PhaseKind::DataIn | PhaseKind::DataOut) | None => {
                    self.rect(start, y + 4, width, 6, &format!(r#"fill="{colour}" opacity="0.75""#));
                }
            }
        }
        let bottom = top + 17 * tracks;
        self.times(from, top - 2, bottom + 2);
        self.legend(bottom + 26);
    }

    /// A line with its time at each quarter of a millisecond, where the time has room.
    fn times(&mut self, from: Ticks, top: u64, bottom: u64) {
        let quarter = Ticks::from_us(250).0;
        let room = Ticks::from_us(50).0;
        for at in (from.0 + room) / quarter + 1..=(end_of(from).0 - room) / quarter {
            let x = rounded(place(Ticks(at * quarter), from));
            writeln!(self.shapes, r#"<path d="M{x} {top} V{bottom}" stroke="{GREY}" stroke-opacity="0.25"/>"#).unwrap();
            let style = format!(r#"{} text-anchor="middle""#, sans(11, GREY));
            self.text(x, bottom + 13, &style, &format!("{} µs", 250 * at));
        }
    }

    fn legend(&mut self, y: u64) {
        let mut x = 28.0;
        for (family, colour) in COLOURS {
            self.rect(x, y, 11.0, 11, &format!(r#"fill="{colour}""#));
            self.text(x + 15.0, y + 10, &sans(11, DARK), family.name());
            x += 28.0 + 7.0 * family.name().len() as f64;
        }
        self.text(x, y + 10, &sans(11, GREY), "thin: window for data");
    }

    fn end(self, described: &str) -> String {
        let height = self.top + 12;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" width="960" height="{height}" role="img">
<title>The way from a profile to a verdict</title>
<desc>{described}</desc>
<rect width="960" height="{height}" fill="#ffffff"/>
{}</svg>
"##,
            self.shapes
        )
    }
}

fn sans(size: u32, colour: &str) -> String {
    format!(r#"font-family="sans-serif" font-size="{size}" fill="{colour}""#)
}

/// Where a time is in the picture.
fn place(time: Ticks, from: Ticks) -> f64 {
    76.0 + 856.0 * (time.0 - from.0) as f64 / Ticks::from_us(WINDOW).0 as f64
}

/// A length with two decimals.
fn rounded(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}
