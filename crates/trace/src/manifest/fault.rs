//! Reading a manifest: which kind it is, and where its fault is.
//!
//! The kind of a manifest, a site's or a batch's, is also known if the manifest has a fault. A fault has its line and column.

use crate::recorded::shown;
use std::cmp::Ordering;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::numbers::OTHER_SCHEMA;
use crate::inside::NotInside;
use crate::json_fault;

/// The kind of a manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManifestKind {
    /// A [`SiteManifest`](super::SiteManifest).
    Site,
    /// A [`BatchManifest`](super::BatchManifest).
    Batch,
    /// The kind cannot be told: the file is empty, cut early, or something else.
    Unknown,
}

impl ManifestKind {
    /// The kind whose own fields the text has more of.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct KnownFields {
            site: Option<IgnoredAny>,
            site_seed: Option<IgnoredAny>,
            runs: Option<IgnoredAny>,
            base_seed: Option<IgnoredAny>,
            warnings: Option<IgnoredAny>,
            sites: Option<IgnoredAny>,
        }
        let Ok(fields) = serde_json::from_slice::<KnownFields>(text) else { return Self::of_text(text) };
        let count = |fields: [Option<IgnoredAny>; 3]| fields.iter().flatten().count();
        let of_site = count([fields.site, fields.site_seed, fields.runs]);
        let of_batch = count([fields.base_seed, fields.warnings, fields.sites]);
        match of_batch.cmp(&of_site) {
            Ordering::Greater => Self::Batch,
            Ordering::Less => Self::Site,
            Ordering::Equal => Self::Unknown,
        }
    }

    /// The kind of a text that is not JSON, such as a manifest that is cut.
    fn of_text(text: &[u8]) -> Self {
        let has = |key: &str| memchr::memmem::find(text, key.as_bytes()).is_some();
        match (has("\"site_seed\""), has("\"base_seed\"")) {
            (true, false) => Self::Site,
            (false, true) => Self::Batch,
            (true, true) | (false, false) => Self::Unknown,
        }
    }

    /// The name in messages.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Site => "manifest of a site",
            Self::Batch => "manifest of a batch",
            Self::Unknown => "manifest",
        }
    }
}

/// A fault of a manifest, with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    line: usize,
    column: usize,
    what: String,
}

impl Fault {
    /// Whether the rest of the manifest must not be used either. This is so if it names a file or folder outside its own folder,
    /// or has another schema.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        NotInside::is_quoted_in(&self.what) || self.is_of_another_schema()
    }

    /// Whether another version of the program wrote the manifest, in another schema.
    #[must_use]
    pub fn is_of_another_schema(&self) -> bool {
        self.what.contains(OTHER_SCHEMA)
    }

    /// The same fault, of a text that begins in this line of a file.
    pub(super) fn in_line(self, line: usize) -> Self {
        Self { line: self.line + line - 1, ..self }
    }

    /// Whether line and column are known. A fault of an empty file has none.
    const fn has_place(&self) -> bool {
        self.column > 0
    }

    /// The message about the file, as a sentence.
    #[must_use]
    pub fn sentence(&self, path: &Path, kind: ManifestKind) -> String {
        let Self { line, column, what } = self;
        let place = if self.has_place() { format!(":{line}:{column}") } else { String::new() };
        format!("`{}`{place} is no {}: {what}", shown(path), kind.text())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column(), what: json_fault::what(&error) }
    }
}

impl fmt::Display for Fault {
    /// `12:5: the field … is missing`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_place() {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

/// Reads a manifest, or a record of one, from JSON.
///
/// # Errors
/// A [`Fault`] if the text is not JSON of such a record.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(text).map_err(Fault::from)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::manifest::{BatchManifest, SiteManifest};

    #[test]
    fn a_manifest_with_a_fault_is_still_what_it_is() {
        for (text, kind) in [
            ("{\"base_seed\": 1, \"warnings\": [], \"stes\": []}", ManifestKind::Batch),
            ("{\"base_sed\": 1, \"sites\": []}", ManifestKind::Batch),
            ("{\"base_seed\": 1, \"sites\": [{", ManifestKind::Batch),
            ("{\"site\": null, \"site_seed\": 1, \"runs\": []}", ManifestKind::Site),
            ("{\"site\": 3, \"site_seed\": 1, \"runs\": [", ManifestKind::Site),
            ("", ManifestKind::Unknown),
            ("{}", ManifestKind::Unknown),
            ("[]", ManifestKind::Unknown),
            ("{\"schema\": 1, \"orig", ManifestKind::Unknown),
        ] {
            assert_eq!(ManifestKind::of(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn runs_have_numbers_that_follow_one_another() {
        let manifest = |runs: &[(u64, u64)]| {
            let run = |(run, index): &(u64, u64)| {
                format!("{{\"run\":{run},\"run_index\":{index},\"seed\":1,\"operations\":1,\"files\":[]}}")
            };
            let runs: Vec<String> = runs.iter().map(run).collect();
            let digest = "ab".repeat(32);
            let text = format!(
                "{{\"schema\":1,\"origin\":{{\"tool\":{{\"name\":\"\",\"version\":\"\"}},\"profile\":{{\"name\":\"\",\"source\":\"\",\
                 \"sha256\":\"{digest}\",\"resolved_sha256\":\"\"}},\"probabilities\":null,\"badlist\":null,\"arguments\":[]}},\
                 \"site\":null,\"seed_formula\":\"\",\"site_seed\":1,\"runs\":[{}]}}",
                runs.join(",")
            );
            parse::<SiteManifest>(text.as_bytes()).map_err(|fault| fault.to_string())
        };
        for good in [&[][..], &[(1, 0), (2, 1)], &[(4, 3), (5, 4)], &[(9_999_999, 9_999_998)]] {
            assert_eq!(manifest(good).unwrap().runs.len(), good.len());
        }
        for (bad, part) in [
            (&[(0, 0)][..], "runs have numbers from 1 to 9999999, not 0"),
            (&[(10_000_000, 9_999_999)], "not 10000000"),
            (&[(u64::MAX, u64::MAX - 1)], "not 18446744073709551615"),
            (&[(2, u64::MAX)], "the `run_index` of run 2 is 1, not 18446744073709551615"),
            (&[(1, 0), (3, 2)], "run 3 does not follow run 1"),
            (&[(1, 0), (1, 0)], "run 1 does not follow run 1"),
        ] {
            let said = manifest(bad).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn a_fault_has_its_place() {
        let fault = parse::<BatchManifest>(b"{\n  \"schema\": 1,\n  \"x\": 2\n}").unwrap_err();
        let sentence = fault.sentence(Path::new("out/manifest.json"), ManifestKind::Batch);
        assert!(
            sentence.starts_with("`out/manifest.json`:3:5 is no manifest of a batch: `x` is not known; "),
            "{sentence}"
        );
        assert!(!fault.is_refusal());
        let text = b"[{\"kind\": \"snapshot\", \"file\": \"../a\", \"rows\": 1, \"sha256\": \"\"}]";
        let fault = parse::<Vec<crate::manifest::FileRecord>>(text).unwrap_err();
        assert!(fault.is_refusal() && !fault.is_of_another_schema(), "{fault}");
        assert!(parse::<SiteManifest>(b"{").is_err());
        let empty = parse::<SiteManifest>(b"").unwrap_err().sentence(Path::new("manifest.json"), ManifestKind::Unknown);
        assert_eq!(empty, "`manifest.json` is no manifest: it is empty");
    }

    #[test]
    fn another_schema_is_refused_whatever_else_is_there() {
        for text in ["{\"schema\": 7}", "{\"schema\": 0, \"more\": 1}"] {
            for fault in [
                parse::<SiteManifest>(text.as_bytes()).unwrap_err(),
                parse::<BatchManifest>(text.as_bytes()).unwrap_err(),
            ] {
                assert!(fault.is_refusal() && fault.is_of_another_schema(), "{fault}");
            }
        }
        let fault = parse::<SiteManifest>(b"{\"schema\": 7}").unwrap_err().to_string();
        assert!(fault.ends_with("its form is version 7, this program knows version 1"), "{fault}");
    }
}
