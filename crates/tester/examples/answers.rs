//! Prints the answers of files of fails as lines `site,part,run,op_uid` with `pass` where a run passed, and `?` where the operation is not known.
//! `scripts/fails/check` compares them with what other programs wrote.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use nandseq_tester::{Answer, FailsError, FieldMap, PartResult, read_fails};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = BufWriter::new(io::stdout().lock());
    for path in std::env::args().skip(1) {
        read_fails(Path::new(&path), &FieldMap::default(), &mut |Answer { site, part, run, result, record }| {
            let op_uid = match result {
                PartResult::Passed => "pass".to_owned(),
                PartResult::Failed { op_uid: Some(uid) } => uid.to_string(),
                PartResult::Failed { op_uid: None } => "?".to_owned(),
            };
            writeln!(out, "{site},{part},{run},{op_uid}").map_err(|error| FailsError::at(record, error.to_string()))
        })?;
    }
    Ok(out.flush()?)
}
