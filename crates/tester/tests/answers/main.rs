//! Files of fails as they come and as they should not: CSV and STDF, whole, cut and wrong, and against a campaign.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod campaign;
mod csv;
mod files;
mod stdf;
