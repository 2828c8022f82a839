//! Tests that writing and reading a profile gives an equal profile.

use nandseq_profile::model::Expectations;
use nandseq_profile::{builtin, native};
use proptest::prelude::*;

use crate::legacy_files::legacy;
use crate::{good, random};

#[test]
fn the_built_in_device_survives_writing_and_reading() {
    let profile = builtin::profile();
    assert_eq!(good(&native::write(&profile)), profile);
}

#[test]
fn the_predecessors_files_survive_import() {
    for name in ["config-2025-09.yaml", "config-2025-10.yaml"] {
        let Some(profile) = legacy(name) else { continue };
        let text = native::write(&profile);
        let again = good(&text);
        assert!(again == profile, "{name} changed");
        assert_eq!(again.hash(), profile.hash());
    }
}

#[test]
fn the_hash_tells_profiles_apart_and_nothing_else() {
    let profile = builtin::profile();
    let hash = profile.hash();
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(good(&native::write(&profile)).hash(), hash);
    // The name does not count. The hash with the name is the one that older versions recorded.
    let mut renamed = profile.clone();
    renamed.name = "another label".to_owned();
    assert_eq!(renamed.hash(), hash);
    assert_ne!(profile.hash_as(&profile.name), hash);
    let has_hash = |hash: &str, name: &str| renamed.has_hash(hash, name, Expectations::default());
    assert!(has_hash(&hash, "") && has_hash(&profile.hash_as(&profile.name), &profile.name));
    assert!(!has_hash(&profile.hash_as(&profile.name), &renamed.name));
    let mut changed = profile;
    changed.ops.iter_mut().next().expect("an operation").durations[0].0 += 1;
    assert_ne!(changed.hash(), hash);
}

#[test]
fn the_levels_that_operations_read_count_if_data_is_expected() {
    let profile = builtin::profile();
    let mut without = profile.clone();
    without.ops.iter_mut().for_each(|op| op.reads = None);
    let (data, status) =
        (Expectations { data: true, full_status: false }, Expectations { data: false, full_status: true });
    for expectations in [Expectations::default(), status] {
        assert_eq!(profile.hash_expecting(expectations), profile.hash());
        assert_eq!(without.hash_expecting(expectations), profile.hash());
    }
    let hash = profile.hash_expecting(data);
    assert!(profile.has_hash(&hash, "", data) && !profile.has_hash(&hash, "", status));
    assert!(!without.has_hash(&hash, "", data));
    // A profile may ask for data itself.
    let asking = [&profile, &without].map(|profile| {
        let mut asking = profile.clone();
        asking.expect(data);
        asking.hash()
    });
    assert_ne!(asking[0], asking[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn every_profile_survives_writing_and_reading(seed: u64) {
        let profile = random::profile(seed);
        let text = native::write(&profile);
        let again = good(&text);
        prop_assert_eq!(&again, &profile, "{}", text);
        prop_assert_eq!(native::write(&again), text);
    }
}
