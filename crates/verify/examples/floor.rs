//! The least work of any judge of a run's files, to be timed: `time target/dist/examples/floor FOLDER STEPS`.
//!
//! With one step it reads and hashes every file. The second finds the rows of the tables, copies each as if it made the text expected,
//! and compares the two. The third reads the rows of the sequence. The fourth judges: for each target it looks at one time of a plane
//! and one page of a block, and changes them. It knows no rule. The device is the built-in one.
#![expect(clippy::print_stdout, reason = "the place for it")]

use std::hint::black_box;
use std::io::{self, BufRead};
use std::path::Path;

use nandseq_input::source::FileDigests;
use nandseq_input::{Addressed, CsvFiles, SequenceReader, Source};
use nandseq_profile::{Profile, Ticks, builtin};

/// A device of which only the start of the last operation on each plane and the last page of each block are known.
struct LeastDevice<'p> {
    profile: &'p Profile,
    planes: Vec<Ticks>,
    pages: Vec<i64>,
    /// How often two operations on a plane started together, or an operation was on another page than the next of its block.
    others: u64,
}

impl<'p> LeastDevice<'p> {
    fn new(profile: &'p Profile) -> Self {
        let device = profile.topology;
        let (planes, blocks) = (device.dies * device.planes, device.dies * device.blocks_per_die);
        Self { profile, planes: vec![Ticks::ZERO; planes as usize], pages: vec![0; blocks as usize], others: 0 }
    }

    fn judge(&mut self, at: &Addressed, time: Ticks) {
        let device = self.profile.topology;
        let place = |count: u32, number: i64| (at.die * i64::from(count) + number) as usize;
        if let Some(last) = self.planes.get_mut(place(device.planes, at.plane)) {
            self.others += u64::from(std::mem::replace(last, time) == time);
        }
        if let Some(last) = self.pages.get_mut(place(device.blocks_per_die, at.block)) {
            self.others += u64::from(std::mem::replace(last, at.page) + 1 != at.page);
        }
    }
}

/// Reads and hashes a file, and compares its lines with copies of them if `compares`.
fn read(path: &Path, compares: bool) -> io::Result<()> {
    let mut input = CsvFiles.open_hashed(path, &FileDigests::default())?;
    let mut made: Vec<u8> = Vec::new();
    loop {
        let ahead = input.fill_buf()?;
        let length = ahead.len();
        if length == 0 {
            return Ok(());
        }
        // A line that the end of the buffer cuts is one in hundreds: it is left out.
        let mut rest = ahead;
        while let Some(end) = memchr::memchr(b'\n', rest).filter(|_| compares) {
            made.clear();
            made.extend_from_slice(&rest[..end]);
            assert_eq!(black_box(&made[..]), &rest[..end]);
            rest = &rest[end + 1..];
        }
        input.consume(length);
    }
}

/// Reads the rows of a sequence, and judges them if `judges`. Returns their number.
fn read_sequence(profile: &Profile, path: &Path, judges: bool) -> io::Result<u64> {
    let mut device = LeastDevice::new(profile);
    let input = CsvFiles.open_hashed(path, &FileDigests::default())?;
    let mut reader = SequenceReader::new(profile, input).map_err(io::Error::other)?;
    while let Some(row) = reader.next_row()? {
        let row = row.map_err(|bad| io::Error::other(bad.fault.to_string()))?;
        let targets = if judges { row.targets } else { &[] };
        targets.iter().for_each(|target| device.judge(target, row.time));
    }
    black_box(device.others);
    Ok(reader.rows())
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_default();
    let steps: u32 = arguments.next().and_then(|steps| steps.parse().ok()).unwrap_or(4);
    let profile = builtin::profile();
    let mut operations = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_sequence = path.to_string_lossy().contains("operation_sequence");
        if !path.is_file() {
            continue;
        } else if is_sequence && steps > 2 {
            operations += read_sequence(&profile, &path, steps > 3)?;
        } else {
            read(&path, steps > 1 && !is_sequence)?;
        }
    }
    println!("{operations} operations judged");
    Ok(())
}
