//! Bytes as well-formed rows with any contents: the depths of the verifier, which mutated text seldom reaches.
//!
//! Four bytes begin a row (operation, time since the row before, number of targets, status), then four follow for each target
//! (die, plane, block, page). The device has odd sizes, so that many addresses do not exist.

#![no_main]

use std::fmt::Write as _;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nandseq_input::{COLUMNS, SequenceReader};
use nandseq_profile::model::{PayloadField, Topology};
use nandseq_profile::{OpId, Profile, builtin};
use nandseq_verify::Verifier;

static DEVICE: LazyLock<Profile> = LazyLock::new(|| {
    let mut device = builtin::profile();
    device.topology = Topology { dies: 2, planes: 3, blocks_per_die: 11, pages_per_block: 5 };
    device.offset_guard = 1;
    device
});

/// Steps of time, µs: within a command, a read, a program, an erase.
const STEPS: [f64; 8] = [0.0, 0.01, 0.5, 5.0, 30.0, 100.0, 400.0, 8000.0];

fn rows(mut data: &[u8]) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    let mut time = 0.0;
    let mut seq = 0;
    while let [op, step, shape, status, rest @ ..] = data {
        seq += 1;
        let names = DEVICE.ops.len();
        let op = &DEVICE.ops[OpId::from((usize::from(*op) + usize::from(*step >> 3) * 256) % names)];
        time += STEPS[usize::from(step & 7)];
        let (targets, later) = rest.split_at(rest.len().min(usize::from(shape % 5) * 4));
        let payload = payload(&DEVICE.bases[op.base].payload, targets, *status);
        let _ = writeln!(text, "{seq},{time:.3},{},{},{seq},\"[{payload}]\"", op.opcode, op.name);
        data = later;
    }
    text
}

fn payload(fields: &[PayloadField], targets: &[u8], status: u8) -> String {
    let one = |target: &[u8]| {
        let number =
            |at: usize| i16::from(target.get(at).copied().unwrap_or(0)) % 14 - i16::from(at == 0 && status > 250);
        let cell = DEVICE.cell_types.iter().nth(usize::from(status) % DEVICE.cell_types.len()).map(|cell| &cell.name);
        let value = |field: &PayloadField| match field {
            PayloadField::Die => number(0).to_string(),
            PayloadField::Plane => number(1).to_string(),
            PayloadField::Block => number(2).to_string(),
            PayloadField::Page => number(3).to_string(),
            PayloadField::CellType => format!("\"\"{}\"\"", cell.map_or("NONE", String::as_str)),
            PayloadField::ExpectedStatus => {
                format!("\"\"{}\"\"", ["ready", "busy", "extrdy"][usize::from(status) % 3])
            }
        };
        let fields: Vec<String> =
            fields.iter().map(|field| format!("\"\"{}\"\":{}", field.name(), value(field))).collect();
        format!("{{{}}}", fields.join(","))
    };
    let objects: Vec<String> = if targets.is_empty() { vec![one(&[])] } else { targets.chunks(4).map(one).collect() };
    objects.join(",")
}

fuzz_target!(|data: &[u8]| {
    let text = rows(data);
    let mut verifier = Verifier::new(&DEVICE, &[]);
    let mut reader = SequenceReader::new(&DEVICE, text.as_bytes()).expect("the header is right");
    while let Ok(Some(row)) = reader.next_row() {
        let row = row.unwrap_or_else(|bad| panic!("{bad:?} in\n{text}"));
        assert!(row.fault.is_none(), "{:?} in\n{text}", row.fault);
        verifier.row(&row);
    }
    assert_eq!(verifier.operations() as usize + 1, text.lines().count());
});
