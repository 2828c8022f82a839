//! Pages of the documents quote files of the repository as they are, and figures as they are computed. What commands print is
//! compared by the target `long_shown`.

use std::fs;
use std::path::Path;

/// A file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

#[test]
fn the_page_on_clusters_shows_the_scripts_that_are_run() {
    let page = file("docs/clusters.md");
    for path in ["scripts/cluster/array.sbatch", "scripts/cluster/indexed-job.yaml"] {
        assert!(page.contains(&file(path)), "docs/clusters.md should show {path} as it is");
    }
}

#[test]
fn the_page_on_campaigns_names_a_mixed_seed() {
    let text = format!("`mix(42, 1, 0)` is {}.", nandseq_generate::mix(42, 1, 0));
    assert!(file("docs/campaigns.md").contains(&text));
}
