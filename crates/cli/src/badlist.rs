//! Bad blocks: a CSV file with the header `die,block`.
//!
//! Promises that every row names a block of the device, and says of every row that does not where it is. A block that is
//! listed twice is bad once.

use std::collections::BTreeSet;

use nandseq_profile::model::Topology;
use nandseq_profile::{Block, Diagnostic, Diagnostics, Die, SourceFile, Span};

/// Reads the bad blocks of a device, in ascending order.
pub(crate) fn read(source: &SourceFile, topology: Topology) -> Result<Vec<(Die, Block)>, Diagnostics> {
    let mut reader = Reader { source, topology, wrong: Diagnostics::new(), blocks: BTreeSet::new() };
    let mut offset = 0;
    let mut header_seen = false;
    for (at, line) in source.text.split('\n').enumerate() {
        let row = Row { start: offset, number: at + 1, text: line.strip_suffix('\r').unwrap_or(line) };
        offset += line.len() + 1;
        if row.text.trim().is_empty() {
            continue;
        }
        if header_seen {
            reader.row(&row);
        } else {
            header_seen = true;
            reader.header(&row);
        }
    }
    if !header_seen {
        reader.wrong.push(Diagnostic::error("badlist-empty", "the list of bad blocks has no header").help(HEADER_HELP));
    }
    if reader.wrong.has_errors() { Err(reader.wrong) } else { Ok(reader.blocks.into_iter().collect()) }
}

const HEADER_HELP: &str = "the first line must be `die,block`";

struct Row<'a> {
    start: usize,
    number: usize,
    text: &'a str,
}

impl Row<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let column = self.text[..start].chars().count() + 1;
        Span { start: self.start + start, end: self.start + end, line: self.number, column }
    }
}

struct Reader<'a> {
    source: &'a SourceFile,
    topology: Topology,
    wrong: Diagnostics,
    blocks: BTreeSet<(Die, Block)>,
}

impl Reader<'_> {
    fn header(&mut self, row: &Row<'_>) {
        let names: Vec<&str> = row.text.split(',').map(unquoted).collect();
        if names != ["die", "block"] {
            let message = format!("`{}` does not begin with the header of a list of bad blocks", self.source.name);
            let place = row.span(0, row.text.len());
            self.wrong.push(Diagnostic::error("badlist-header", message).at(place, "").help(HEADER_HELP));
        }
    }

    fn row(&mut self, row: &Row<'_>) {
        let fields: Vec<&str> = row.text.split(',').collect();
        let [die_text, block_text] = fields[..] else {
            let (count, plural) = (fields.len(), if fields.len() == 1 { "" } else { "s" });
            let message = format!("a bad block is a die and a block, but this line has {count} field{plural}");
            self.wrong.push(Diagnostic::error("badlist-fields", message).at(row.span(0, row.text.len()), ""));
            return;
        };
        let block_start = die_text.len() + 1;
        let die = self.number(row, 0, die_text, "die", self.topology.dies);
        let block = self.number(row, block_start, block_text, "block", self.topology.blocks_per_die);
        if let (Some(die), Some(block)) = (die, block) {
            // The topology has at most 64 dies.
            self.blocks.insert((Die(die as u8), Block(block)));
        }
    }

    /// One of the numbers of a row, below `count`.
    fn number(&mut self, row: &Row<'_>, start: usize, field: &str, what: &str, count: u32) -> Option<u32> {
        let place = row.span(start, start + field.len());
        let last = count - 1;
        let digits = unquoted(field);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let wrong = match digits.parse::<u32>() {
            Ok(number) if is_number && number < count => return Some(number),
            _ if is_number => Diagnostic::error("badlist-address", format!("there is no {what} {digits}"))
                .at(place, "")
                .help(format!("this device has {what}s 0 to {last}")),
            _ => Diagnostic::error("badlist-number", format!("the {what} is not a number"))
                .at(place, "")
                .help(format!("a whole number from 0 to {last}")),
        };
        self.wrong.push(wrong);
        None
    }
}

/// A field without blanks and quotes around it.
fn unquoted(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    const TOPOLOGY: Topology = Topology { dies: 2, planes: 4, blocks_per_die: 1020, pages_per_block: 2564 };

    fn read_text(text: &str) -> Result<Vec<(Die, Block)>, Diagnostics> {
        read(&SourceFile::new("bad.csv", text), TOPOLOGY)
    }

    /// Code, line and column of everything that is wrong.
    fn wrong(text: &str) -> Vec<(&'static str, usize, usize)> {
        let diagnostics = read_text(text).unwrap_err();
        let place =
            |one: &Diagnostic| one.primary.as_ref().map_or((0, 0), |label| (label.span.line, label.span.column));
        diagnostics.iter().map(|one| (one.code, place(one).0, place(one).1)).collect()
    }

    #[test]
    fn blocks_come_in_order_and_once() {
        let expected = vec![(Die(0), Block(7)), (Die(1), Block(0)), (Die(1), Block(1019))];
        for text in [
            "die,block\n1,1019\n0,7\n1,0\n0,7\n",
            "\u{feff}die,block\r\n1,1019\r\n\r\n0, 7\r\n\"1\",\"0\"",
            "die , block\n1,1019\n0,07\n1,0",
        ] {
            assert_eq!(read_text(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(read_text("die,block\n").unwrap(), []);
    }

    #[test]
    fn every_wrong_row_is_named_with_its_place() {
        assert_eq!(wrong("die,block\n0,1020\n2,5\n0,5\n"), [("badlist-address", 2, 3), ("badlist-address", 3, 1)]);
        assert_eq!(
            wrong("die,block\n0,-1\nx,\n"),
            [("badlist-number", 2, 3), ("badlist-number", 3, 1), ("badlist-number", 3, 3)]
        );
        assert_eq!(wrong("die,block\n0\n0,1,2\n"), [("badlist-fields", 2, 1), ("badlist-fields", 3, 1)]);
        assert_eq!(wrong("die,block\n99999999999999999999,0\n"), [("badlist-address", 2, 1)]);
    }

    #[test]
    fn a_file_without_its_header_is_refused() {
        assert_eq!(wrong("0,1\n"), [("badlist-header", 1, 1)]);
        assert_eq!(wrong("block,die\n1,1\n"), [("badlist-header", 1, 1)]);
        assert_eq!(wrong(""), [("badlist-empty", 0, 0)]);
        assert_eq!(wrong("\n \n"), [("badlist-empty", 0, 0)]);
    }
}
