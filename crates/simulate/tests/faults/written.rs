//! The two forms of written fails.

use nandseq_simulate::{FailsForm, FailsWriter};
use rust_stdf::stdf_file::StdfReader;
use rust_stdf::{CompressType, StdfRecord};

/// A run, and the operations at which it fails.
type Run<'a> = (u32, &'a [u64]);

fn written(form: FailsForm, sites: &[(u32, &[Run<'_>])]) -> std::io::Result<Vec<u8>> {
    let mut fails = FailsWriter::begin(form, Vec::new(), "a device", "weak reads, \u{b5}")?;
    for (site, runs) in sites {
        fails.begin_site(*site)?;
        runs.iter().try_for_each(|(run, failed)| fails.run(*run, failed))?;
        fails.end_site()?;
    }
    fails.finish()
}

#[test]
fn a_run_that_passed_has_a_line_without_an_operation() {
    let text = written(FailsForm::Csv, &[(1, &[(1, &[]), (2, &[7, 9])]), (300, &[(1, &[3])])]).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "site,run,op_uid,result\n1,1,,pass\n1,2,7,fail\n1,2,9,fail\n300,1,3,fail\n"
    );
}

#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "of other records the name is enough")]
fn stdf_has_a_part_for_each_site_and_a_functional_test_for_each_answer() {
    let bytes = written(FailsForm::Stdf, &[(1, &[(1, &[]), (2, &[7, 9])]), (2, &[(1, &[])])]).unwrap();
    let mut reader = StdfReader::from(std::io::Cursor::new(bytes), &CompressType::Uncompressed).unwrap();
    let short = |record: StdfRecord| match record {
        StdfRecord::FAR(far) => format!("FAR {}", far.stdf_ver),
        StdfRecord::MIR(mir) => format!("MIR {} {}", mir.part_typ, mir.lot_id),
        StdfRecord::PIR(pir) => format!("PIR {}", pir.site_num),
        StdfRecord::FTR(ftr) => {
            format!(
                "FTR {} {} {:02x} {:02x} {}",
                ftr.site_num, ftr.test_num, ftr.test_flg[0], ftr.opt_flag[0], ftr.rel_vadr
            )
        }
        StdfRecord::PRR(prr) => {
            format!("PRR {} {:02x} {} {}", prr.site_num, prr.part_flg[0], prr.num_test, prr.hard_bin)
        }
        other => format!("{other:?}").chars().take(3).collect(),
    };
    let records: Vec<String> = reader.get_record_iter().map(|record| short(record.unwrap())).collect();
    assert_eq!(
        records,
        [
            "FAR 4",
            "MIR a device weak reads, ?",
            "PIR 1",
            "FTR 1 1 00 ff 0",
            "FTR 1 2 80 fd 7",
            "FTR 1 2 80 fd 9",
            "PRR 1 08 2 2",
            "PIR 2",
            "FTR 2 1 00 ff 0",
            "PRR 2 00 1 1",
            "MRR",
        ]
    );
}

#[test]
fn what_stdf_cannot_have_is_refused() {
    let error = written(FailsForm::Stdf, &[(256, &[])]).unwrap_err();
    assert_eq!(error.to_string(), "STDF has sites up to 255, not 256");
    let error = written(FailsForm::Stdf, &[(1, &[(1, &[1 << 32])])]).unwrap_err();
    assert_eq!(error.to_string(), "STDF has no operation 4294967296");
}
