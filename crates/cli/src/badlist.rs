//! Bad blocks: a CSV file with the header `die,block`, whose fields are numbers or ranges: `0,7`, `0,5-1019`, `0-1,3`.
//!
//! Every row names blocks of the device; for a row that does not there is an error with its place. A block that is listed twice
//! is bad once. The cost of ranges depends on the blocks that they name, not on how often they name them. A number with a leading
//! zero is refused, as it is in profiles.

use std::ops::RangeInclusive;

use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::Topology;
use nandseq_profile::whole;
use nandseq_profile::{Block, Diagnostic, Diagnostics, Die, SourceFile, Span};

/// Reads the bad blocks of a device, in ascending order.
///
/// # Errors
/// Every mistake with its place.
pub(crate) fn read(source: &SourceFile, topology: Topology) -> Result<Vec<(Die, Block)>, Diagnostics> {
    let mut reader = ListReader { source, topology, wrong: Diagnostics::new(), ranges: Vec::new() };
    let mut offset = 0;
    let mut header_seen = false;
    for (at, line) in source.text.split('\n').enumerate() {
        let row = ListRow { start: offset, number: at + 1, text: line.strip_suffix('\r').unwrap_or(line) };
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
    if reader.wrong.has_errors() { Err(reader.wrong) } else { Ok(reader.blocks()) }
}

const HEADER_HELP: &str = "the first line must be `die,block`";

struct ListRow<'a> {
    start: usize,
    number: usize,
    text: &'a str,
}

impl ListRow<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let column = self.text[..start].chars().count() + 1;
        Span { start: self.start + start, end: self.start + end, line: self.number, column }
    }
}

struct ListReader<'a> {
    source: &'a SourceFile,
    topology: Topology,
    wrong: Diagnostics,
    /// Dies and blocks of each row.
    ranges: Vec<(RangeInclusive<u32>, RangeInclusive<u32>)>,
}

impl ListReader<'_> {
    fn header(&mut self, row: &ListRow<'_>) {
        let names: Vec<&str> = row.text.split(',').map(unquoted).collect();
        if names != ["die", "block"] {
            let message = format!("`{}` does not begin with the header of a list of bad blocks", self.source.name);
            let place = row.span(0, row.text.len());
            self.wrong.push(Diagnostic::error("badlist-header", message).at(place, "").help(HEADER_HELP));
        }
    }

    fn row(&mut self, row: &ListRow<'_>) {
        let fields: Vec<&str> = row.text.split(',').collect();
        let [die_text, block_text] = fields[..] else {
            let count = counted(fields.len() as u64, "field");
            let message = format!("a bad block is a die and a block, but this line has {count}");
            self.wrong.push(Diagnostic::error("badlist-fields", message).at(row.span(0, row.text.len()), ""));
            return;
        };
        let block_start = die_text.len() + 1;
        let dies = self.range(row, 0, die_text, "die", self.topology.dies);
        let blocks = self.range(row, block_start, block_text, "block", self.topology.blocks_per_die);
        self.ranges.extend(dies.zip(blocks));
    }

    /// The blocks of all rows, each once, in ascending order.
    fn blocks(mut self) -> Vec<(Die, Block)> {
        self.ranges.sort_unstable_by_key(|(_, blocks)| *blocks.start());
        let mut all = Vec::new();
        for die in 0..self.topology.dies {
            let mut next = 0;
            for (_, blocks) in self.ranges.iter().filter(|(dies, _)| dies.contains(&die)) {
                let first = next.max(*blocks.start());
                // The topology has at most 64 dies.
                all.extend((first..=*blocks.end()).map(|block| (Die(die as u8), Block(block))));
                next = next.max(blocks.end() + 1);
            }
        }
        all
    }

    /// Reads a field of a row: a number below `count`, or a range of such numbers. `None` after a mistake.
    fn range(
        &mut self,
        row: &ListRow<'_>,
        start: usize,
        field: &str,
        what: &str,
        count: u32,
    ) -> Option<RangeInclusive<u32>> {
        let place = row.span(start, start + field.len());
        let last = count - 1;
        let text = unquoted(field);
        let (low, high) = text.split_once('-').map_or((text, text), |(low, high)| (low.trim(), high.trim()));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let below = |digits: &str| digits.parse::<u32>().ok().filter(|&number| number < count);
        let wrong = if !is_number(low) || !is_number(high) {
            Diagnostic::error("badlist-number", format!("the {what} is neither a number nor a range such as 0-{last}"))
                .help(format!("whole numbers from 0 to {last}"))
        } else if let Some(zero) = leading_zero(what, low).or_else(|| leading_zero(what, high)) {
            zero
        } else {
            match (below(low), below(high)) {
                (Some(low), Some(high)) if low <= high => return Some(low..=high),
                (Some(_), Some(_)) => Diagnostic::error("badlist-range", format!("{text} runs backwards"))
                    .help(format!("write {high}-{low}")),
                (known, _) => {
                    let stranger = if known.is_some() { high } else { low };
                    let message = format!("there is no {what} {stranger}");
                    Diagnostic::error("badlist-address", message).help(format!("this device has {what}s 0 to {last}"))
                }
            }
        };
        self.wrong.push(wrong.at(place, ""));
        None
    }
}

/// The error for digits that begin with a zero; `None` for other digits.
fn leading_zero(what: &str, digits: &str) -> Option<Diagnostic> {
    let (wrong, write) = whole::leading_zero(digits)?;
    Some(Diagnostic::error("ambiguous-number", format!("the {what} {wrong}")).help(write))
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
            "die , block\n1,1019\n0,7\n1,0",
        ] {
            assert_eq!(read_text(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(read_text("die,block\n").unwrap(), []);
    }

    #[test]
    fn ranges_name_every_block_from_the_first_to_the_last_once() {
        let of = |die: u8, blocks: RangeInclusive<u32>| blocks.map(move |block| (Die(die), Block(block)));
        let whole: Vec<_> = of(0, 5..=1019).collect();
        assert_eq!(read_text("die,block\n0,5-1019\n").unwrap(), whole);
        assert_eq!(read_text("die,block\n0,7-9\n0, 5 - 600 \n0,\"8-1019\"\n0,6\n").unwrap(), whole);
        let both: Vec<_> = of(0, 3..=4).chain(of(1, 3..=4)).collect();
        assert_eq!(read_text("die,block\n0-1,3-4\n").unwrap(), both);
        assert_eq!(read_text("die,block\n0-0,3-3\n").unwrap(), [(Die(0), Block(3))]);
        let all = read_text(&format!("die,block\n{}", "0-1,0-1019\n".repeat(100))).unwrap();
        assert_eq!(all.len(), 2 * 1020);
    }

    #[test]
    fn a_range_that_names_no_block_of_the_device_is_refused_with_its_place() {
        assert_eq!(wrong("die,block\n0,9-5\n"), [("badlist-range", 2, 3)]);
        assert_eq!(wrong("die,block\n0-2,5\n1,5-1020\n"), [("badlist-address", 2, 1), ("badlist-address", 3, 3)]);
        assert_eq!(
            wrong("die,block\n0,5-\n0,-5\n0,5-6-7\n0,1e2\n"),
            [("badlist-number", 2, 3), ("badlist-number", 3, 3), ("badlist-number", 4, 3), ("badlist-number", 5, 3)]
        );
    }

    #[test]
    fn numbers_with_a_leading_zero_are_refused_with_what_each_reader_makes_of_them() {
        let code = "ambiguous-number";
        assert_eq!(wrong("die,block\n0,01\n00,1\n0,1-02\n"), [(code, 2, 3), (code, 3, 1), (code, 4, 3)]);
        for (digits, expected) in [
            ("01", "the block has a leading zero: `01` is 1 as a decimal number, and as an octal one"),
            ("010", "the block has a leading zero: `010` is 10 as a decimal number, but 8 as an octal one"),
            ("09", "the block has a leading zero: `09` is 9 as a decimal number, and no octal number has such a digit"),
        ] {
            let said = read_text(&format!("die,block\n0,{digits}\n")).unwrap_err();
            assert_eq!(said.iter().next().unwrap().message, expected);
        }
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
