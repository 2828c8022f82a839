//! Digests of the inputs that all sites of a campaign share.

use nandseq_generate::probability::Distributions;
use nandseq_trace::files::Digest;

use crate::in_force::InForce;

/// One digest for each input.
#[derive(Debug)]
pub(super) struct Digests {
    /// Digest of the profile with the changes that flags make.
    pub(super) profile: String,
    pub(super) table: String,
    pub(super) bad_blocks: String,
}

impl Digests {
    pub(super) fn new(in_force: &InForce) -> Self {
        let table = Digest::of(&text_of(&in_force.table.distributions)).to_string();
        let mut sorted: Vec<(u8, u32)> = in_force.bad_blocks.iter().map(|&(die, block)| (die.0, block.0)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let text: String = sorted.iter().map(|(die, block)| format!("{die},{block}\n")).collect();
        Self { profile: in_force.profile.hash(), table, bad_blocks: Digest::of(text.as_bytes()).to_string() }
    }
}

/// The text of a table whose digest is taken. Each key begins a new line with its number. Each of its operations follows with its
/// number and the bits of its mass in 16 hexadecimal digits, so that only equal masses give equal texts. The text is put together
/// by hand, because formatting 16,000 entries would take an eighth of the program's start.
fn text_of(table: &Distributions) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::new();
    let mut number = itoa::Buffer::new();
    for (key, names) in table {
        text.push(b'\n');
        text.extend_from_slice(number.format(key.index()).as_bytes());
        for (op, mass) in names {
            text.push(b' ');
            text.extend_from_slice(number.format(op.index()).as_bytes());
            text.push(b' ');
            let bits = mass.to_bits();
            text.extend_from_slice(&std::array::from_fn::<u8, 16, _>(|at| {
                DIGITS[(bits >> (60 - 4 * at)) as usize & 15]
            }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use nandseq_profile::{OpId, PhaseKey};

    #[test]
    fn the_text_of_a_table_has_every_number_and_every_bit() {
        let table = vec![(PhaseKey(0), vec![]), (PhaseKey(12), vec![(OpId(3), 0.1), (OpId(456), 1.0)])];
        let text = String::from_utf8(text_of(&table)).unwrap_or_default();
        assert_eq!(text, format!("\n0\n12 3 {:016x} 456 3ff0000000000000", 0.1_f64.to_bits()));
    }
}
