//! STDF: both byte orders, cut at every byte, records of all kinds.

use nandseq_tester::FieldMap;
use proptest::prelude::*;
use rust_stdf::stdf_file::StdfWriter;
use rust_stdf::{ByteOrder, DTR, FAR, FTR, MIR, MRR, PIR, PRR, PTR};

use crate::files::answers;

const ORDERS: [ByteOrder; 2] = [ByteOrder::LittleEndian, ByteOrder::BigEndian];

/// Makes a file by records, whole with FAR, MIR and MRR.
fn file(order: ByteOrder, records: impl FnOnce(&mut StdfWriter<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StdfWriter::new(&mut bytes, order);
    let cpu_type = if order == ByteOrder::BigEndian { 1 } else { 2 };
    writer.write_record(&FAR { cpu_type, stdf_ver: 4 }).unwrap();
    writer.write_record(&MIR { lot_id: "a lot".to_owned(), ..MIR::default() }).unwrap();
    records(&mut writer);
    writer.write_record(&MRR::default()).unwrap();
    bytes
}

fn pir(site_num: u8) -> PIR {
    PIR { head_num: 1, site_num }
}

fn prr(site_num: u8) -> PRR {
    PRR { head_num: 1, site_num, ..PRR::default() }
}

fn ftr(site_num: u8, run: u32) -> FTR {
    FTR { test_num: run, head_num: 1, site_num, opt_flag: [0xff], ..FTR::default() }
}

fn fail(site_num: u8, run: u32, uid: u32) -> FTR {
    FTR { test_flg: [0x80], opt_flag: [0xfd], rel_vadr: uid, ..ftr(site_num, run) }
}

/// A file with two sites whose records alternate, and with records that say nothing of runs.
fn usual(order: ByteOrder) -> Vec<u8> {
    file(order, |writer| {
        writer.write_record(&pir(1)).unwrap();
        writer.write_record(&pir(2)).unwrap();
        writer.write_record(&PTR { test_num: 7, test_txt: "IDD".to_owned(), ..PTR::default() }).unwrap();
        writer.write_record(&ftr(1, 1)).unwrap();
        writer.write_record(&fail(2, 1, 84_213)).unwrap();
        writer.write_record(&DTR { text_dat: "a note".to_owned() }).unwrap();
        writer.write_record(&fail(2, 1, 84_300)).unwrap();
        writer.write_record(&FTR { opt_flag: [0xfe], cycl_cnt: 9, rel_vadr: 8, ..fail(1, 2, 0) }).unwrap();
        writer.write_record(&prr(1)).unwrap();
        writer.write_record(&prr(2)).unwrap();
        writer.write_record(&pir(1)).unwrap();
        writer.write_record(&FTR { opt_flag: [0xff], ..fail(1, 1, 0) }).unwrap();
        writer.write_record(&prr(1)).unwrap();
    })
}

const USUAL: [&str; 5] =
    ["1 1 passed", "2 1 failed at 84213", "2 1 failed at 84300", "1 2 failed at 9", "1 1 failed part 2"];

#[test]
fn both_byte_orders_say_the_same() {
    for order in ORDERS {
        assert_eq!(answers(&usual(order), "").unwrap(), USUAL, "{order:?}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error_that_says_so() {
    for order in ORDERS {
        let bytes = usual(order);
        for length in 0..bytes.len() {
            let error = answers(&bytes[..length], "").unwrap_err();
            let expected = if length == 0 { ": the file is empty" } else { ": the file is cut" };
            assert!(error.starts_with(expected), "{length}: {error}");
        }
    }
    let bytes = usual(ByteOrder::LittleEndian);
    for (missing, why) in [
        (1, ": the file is cut: it has 6 of the 7 bytes of record 16 (MRR)"),
        (8, ": the file is cut: it has 3 of the 4 bytes of the header of record 16"),
        (11, ": the file is cut: its last record is record 15 (PRR), and no MRR"),
    ] {
        assert_eq!(answers(&bytes[..bytes.len() - missing], "").unwrap_err(), why);
    }
    let part = file(ByteOrder::LittleEndian, |writer| writer.write_record(&pir(3)).unwrap());
    assert_eq!(
        answers(&part, "").unwrap_err(),
        ": the file is cut after record 4: the part at head 1, site 3 has no PRR"
    );
}

#[test]
fn a_byte_order_that_changes_behind_the_far_is_named() {
    for (far, order) in [(&[2, 0, 0, 10, 2, 4], ByteOrder::BigEndian), (&[0, 2, 0, 10, 1, 4], ByteOrder::LittleEndian)]
    {
        let bytes = [&far[..], &usual(order)[6..]].concat();
        let error = answers(&bytes, "").unwrap_err();
        assert_eq!(error, ", record 2 (MIR): its length is of another byte order than the FAR says");
    }
    let little = [&[2, 0, 0, 10, 1, 4], &usual(ByteOrder::LittleEndian)[6..]].concat();
    let error = answers(&little, "").unwrap_err();
    assert_eq!(error, ", record 1 (FAR): CPU_TYPE 1 says another byte order than its length, which is little-endian");
    let old = [&[2, 0, 0, 10, 2, 3], &usual(ByteOrder::LittleEndian)[6..]].concat();
    assert_eq!(answers(&old, "").unwrap_err(), ", record 1 (FAR): this is STDF of version 3, and version 4 is read");
}

#[test]
fn records_out_of_place_are_refused_and_foreign_ones_passed_over() {
    let little = |records: &dyn Fn(&mut StdfWriter<&mut Vec<u8>>)| {
        answers(&file(ByteOrder::LittleEndian, |writer| records(writer)), "")
    };
    for (records, why) in [
        (
            &(|writer: &mut StdfWriter<&mut Vec<u8>>| writer.write_record(&fail(1, 1, 7)).unwrap())
                as &dyn Fn(&mut StdfWriter<&mut Vec<u8>>),
            ", record 3 (FTR): it is of a part at head 1, site 1, and none had begun",
        ),
        (
            &|writer| writer.write_record(&prr(1)).unwrap(),
            ", record 3 (PRR): a part ends at head 1, site 1, and none had begun",
        ),
        (
            &|writer| (0..2).for_each(|_| writer.write_record(&pir(1)).unwrap()),
            ", record 4 (PIR): a part begins at head 1, site 1 before the one there has ended",
        ),
        (
            &|writer| writer.write_record(&FAR { cpu_type: 2, stdf_ver: 4 }).unwrap(),
            ", record 3 (FAR): only the first record is a FAR",
        ),
        (
            &|writer| writer.write_record(&MRR::default()).unwrap(),
            ", record 4 (MRR): it follows the MRR [it must be the last one: read files that were joined one by one]",
        ),
    ] {
        assert_eq!(little(records).unwrap_err(), why);
    }
    // A type that STDF does not have, and the longest record that there can be.
    let whole = usual(ByteOrder::LittleEndian);
    let (head, rest) = whole.split_at(whole.len() - 11);
    let foreign = [&[3, 0, 181, 77, 1, 2, 3][..], &[0xff, 0xff, 200, 1], &[0; 0xffff]].concat();
    assert_eq!(answers(&[head, &foreign, rest].concat(), "").unwrap(), USUAL);
    let short = [&whole[..6], &[3, 0, 15, 20, 1, 2, 3]].concat();
    assert_eq!(answers(&short, "").unwrap_err(), ", record 2 (FTR): it has 3 bytes, and needs at least 7");
    let strange = [&whole[..6], &[9, 0, 181, 77]].concat();
    let why = ": the file is cut: it has 0 of the 9 bytes of record 2 (type 181, subtype 77)";
    assert_eq!(answers(&strange, "").unwrap_err(), why);
}

#[test]
fn a_test_that_was_not_executed_or_has_no_result_is_no_answer() {
    for (flag, expected) in [
        (0x00, vec!["1 1 passed"]),
        (0x80, vec!["1 1 failed at 7"]),
        (0x88, vec!["1 1 failed at 7"]),
        (0x90, vec![]),
        (0xc0, vec![]),
        (0x40, vec![]),
    ] {
        let bytes = file(ByteOrder::BigEndian, |writer| {
            writer.write_record(&pir(1)).unwrap();
            writer.write_record(&FTR { test_flg: [flag], ..fail(1, 1, 7) }).unwrap();
            writer.write_record(&prr(1)).unwrap();
        });
        assert_eq!(answers(&bytes, "").unwrap(), expected, "{flag:x}");
    }
}

#[test]
fn other_fields_are_mapped_and_wrong_ones_refused() {
    let of = |ftr: FTR| {
        file(ByteOrder::LittleEndian, |writer| {
            writer.write_record(&pir(1)).unwrap();
            writer.write_record(&ftr).unwrap();
            writer.write_record(&prr(1)).unwrap();
        })
    };
    let all = FTR {
        opt_flag: [0],
        cycl_cnt: 11,
        rept_cnt: 12,
        num_fail: 13,
        xfail_ad: -14,
        vect_off: 15,
        vect_nam: "16".to_owned(),
        rslt_txt: "exp 55 got 54".to_owned(),
        ..fail(1, 1, 7)
    };
    for (map, expected) in [
        ("op_uid=CYCL_CNT", Ok("1 1 failed at 11")),
        ("op_uid=REPT_CNT,run=NUM_FAIL", Ok("1 13 failed at 12")),
        ("site=VECT_OFF", Ok("15 1 failed at 7")),
        ("run=VECT_NAM", Ok("1 16 failed at 7")),
        ("run=TIME_SET", Err(", record 4 (FTR): it does not say the run: TIME_SET is absent")),
        ("op_uid=TIME_SET", Ok("1 1 failed")),
        ("run=XFAIL_AD", Err(", record 4 (FTR): XFAIL_AD is no whole number: `-14`")),
        ("run=RSLT_TXT", Err(", record 4 (FTR): RSLT_TXT is no whole number: `exp 55 got 54`")),
        ("run=TEST_NUMB", Err(": no field `TEST_NUMB` of an FTR can be read [did you mean `TEST_NUM`?]")),
        (
            "part=PART_ID",
            Err(": in STDF, TEST_FLG says the result and the PIR the part: --map names no other fields for them"),
        ),
    ] {
        let found = answers(&of(all.clone()), map);
        assert_eq!(found.as_deref().map(|found| found[0].as_str()).map_err(String::as_str), expected, "{map}");
    }
    // Fields that OPT_FLAG calls invalid are absent.
    let invalid = FTR { opt_flag: [0xff], ..all };
    assert_eq!(
        answers(&of(invalid), "run=NUM_FAIL").unwrap_err(),
        ", record 4 (FTR): it does not say the run: NUM_FAIL is absent"
    );
    assert!("op_uid=CYCL_CNT".parse::<FieldMap>().is_ok());
}

#[test]
fn an_ftr_that_ends_early_lacks_what_is_not_there() {
    let mut bytes = file(ByteOrder::LittleEndian, |writer| writer.write_record(&pir(1)).unwrap());
    let mrr = bytes.split_off(bytes.len() - 11);
    bytes.extend([7, 0, 15, 20, 9, 0, 0, 0, 1, 1, 0x80]);
    bytes.extend([16, 0, 15, 20, 9, 0, 0, 0, 1, 1, 0x80, 0xfc, 1, 0, 0, 0, 2, 0, 0, 0]);
    bytes.extend([12, 0, 15, 20, 9, 0, 0, 0, 1, 1, 0x80, 0xfc, 1, 0, 0, 0]);
    bytes.extend([2, 0, 5, 20, 1, 1]);
    bytes.extend(mrr);
    assert_eq!(answers(&bytes, "").unwrap(), ["1 9 failed", "1 9 failed at 2", "1 9 failed at 1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn no_bytes_make_it_panic(at in 0_usize..600, bytes in proptest::collection::vec(any::<u8>(), 1..40), is_big in any::<bool>()) {
        let mut whole = usual(ORDERS[usize::from(is_big)]);
        let at = at % whole.len();
        let end = (at + bytes.len()).min(whole.len());
        whole[at..end].copy_from_slice(&bytes[..end - at]);
        let _ = answers(&whole, "");
    }
}
