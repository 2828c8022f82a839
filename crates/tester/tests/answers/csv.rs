//! CSV: forms that spreadsheets and testers write, and lines that say nothing.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use nandseq_tester::FieldMap;
use proptest::prelude::*;

use crate::files::answers;

fn read(text: &str) -> Result<Vec<String>, String> {
    answers(text.as_bytes(), "")
}

#[test]
fn the_same_answers_come_from_every_form_of_csv() {
    let expected = ["1 1 passed", "5 12 failed at 84213", "5 12 failed at 84300"];
    let plain = "site,run,op_uid\n1,1,\n5,12,84213\n5,12,84300\n";
    let packed = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(answers(&packed, "").unwrap(), expected);
    for text in [
        plain,
        &plain.replace('\n', "\r\n"),
        &format!("\u{feff}{plain}"),
        plain.trim_end(),
        &format!("{plain}\n\r\n"),
        "\"site\",\"run\",\"op_uid\"\n\"1\",\"1\",\"\"\n\"5\",\"12\",\"84213\"\n5,12,84300\n",
        "op_uid,expected,site,note,run\n,,1,\"a, \"\"b\"\"\",1\n84213,0x5,5,,12\n84300,,5,,12\n",
        "site,run,op_uid,result,expected,got\n1,1,,PASS,,\n5,12,84213,Fail,aa,ab\n5,12,84300,,,\n",
        " site , run , op_uid \n 1 , 1 , \n5,12 ,84213\n5,12,84300\n",
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_fail_without_an_operation_and_parts_at_one_site_are_answers_too() {
    let text = "site,run,op_uid,result,part\n1,1,,fail,1\n1,1,7,fail,2\n1,2,,p,2\n";
    assert_eq!(read(text).unwrap(), ["1 1 failed", "1 1 failed at 7 part 2", "1 2 passed part 2"]);
}

#[test]
fn other_names_of_columns_are_mapped() {
    let text = "SITE_NO,pattern,fail op,verdict\n1,3,,P\n2,3,9,F\n";
    let map = "site=SITE_NO, run=pattern,op_uid=fail op,result=verdict";
    assert_eq!(answers(text.as_bytes(), map).unwrap(), ["1 3 passed", "2 3 failed at 9"]);
    let error = answers(text.as_bytes(), "site=SITE_NO,run=pattern,op_uid=fail op,result=outcome").unwrap_err();
    assert_eq!(
        error,
        ", line 1: there is no column `outcome` [the first line names the columns; --map result=NAME says which one it is]"
    );
}

#[test]
fn a_map_that_says_nothing_is_refused() {
    for (map, why) in [
        ("", "`` is not of the form WHAT=NAME, such as run=TEST_NUM"),
        ("site", "`site` is not of the form WHAT=NAME, such as run=TEST_NUM"),
        ("runs=x", "`runs` is none of site, run, op_uid, result, part, did you mean `run`?"),
        ("run=", "`run=` names nothing"),
        ("run=a,run=b", "`run` is named twice"),
    ] {
        assert_eq!(map.parse::<FieldMap>().unwrap_err(), why);
    }
}

#[test]
fn every_wrong_line_is_named_with_its_number() {
    for (text, why) in [
        ("", ": the file is empty"),
        (
            "\n",
            ", line 1: there is no column `site` [the first line names the columns; --map site=NAME says which one it is]",
        ),
        ("sites,run,op_uid\n", ", line 1: there is no column `site` [did you mean `sites`? --map site=sites says so]"),
        (
            "site,run\n",
            ", line 1: there is no column `op_uid` [the first line names the columns; --map op_uid=NAME says which one it is]",
        ),
        (
            "site;run;op_uid\n",
            ", line 1: there is no column `site` [the columns are separated by semicolons: write them with commas]",
        ),
        ("site,run,op_uid,run\n", ", line 1: the column `run` is there twice"),
        ("site,run,op_uid\n1,1\n", ", line 2: the line has 2 columns, and the header has 3"),
        ("site,run,op_uid\n1,1,\n\n1,1,2,3\n", ", line 4: the line has 4 columns, and the header has 3"),
        ("site,run,op_uid\n1,\"1,\n", ", line 2: the quotes of the line do not match"),
        ("site,run,op_uid\n1,1,7\n1,x,7\n", ", line 3: the run is no whole number: `x`"),
        ("site,run,op_uid\n-1,1,7\n", ", line 2: the site is no whole number: `-1`"),
        ("site,run,op_uid\n1,1,7.0\n", ", line 2: the op_uid is no whole number: `7.0`"),
        ("site,run,op_uid\n4294967296,1,7\n", ", line 2: there is no site 4294967296"),
        (
            "site,run,op_uid\n1,1,18446744073709551616\n",
            ", line 2: the op_uid is no whole number: `18446744073709551616`",
        ),
        ("site,run,op_uid,result\n1,1,7,ok\n", ", line 2: the result is `ok`, neither `pass` nor `fail`"),
        (
            "site,run,op_uid,result\n1,1,7,pass\n",
            ", line 2: it passed, and yet names the failing operation 7 [a run that passed has no op_uid]",
        ),
        ("site,run,op_uid,part\n1,1,7,0\n", ", line 2: parts are counted from 1, and this is part 0"),
        ("%PDF\0\n", ", line 1: this is neither CSV nor STDF [save it as UTF-8 text, or as STDF V4]"),
    ] {
        assert_eq!(read(text).unwrap_err(), why, "{text:?}");
    }
    let long = format!("site,run,op_uid\n1,1,{}\n", "7".repeat(70_000));
    assert_eq!(read(&long).unwrap_err(), ", line 2: the line is longer than 65536 bytes");
    let wide = format!("{}\n", "a,".repeat(300));
    assert_eq!(read(&wide).unwrap_err(), ", line 1: there are 301 columns, more than 256");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_row in any::<bool>()) {
        let header: &[u8] = if is_row { b"site,run,op_uid,result,part\n" } else { b"" };
        let _ = answers(&[header, &bytes].concat(), "");
    }
}
