//! `--map`: which columns of a CSV file, or fields of an STDF record, say the site, the run and the operation.

use std::str::FromStr;

use nandseq_profile::diagnostic::nearest;

/// The names of the columns or fields that answers are read from. What is not named is read from the usual one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FieldMap {
    /// The site: column `site`, field `SITE_NUM`.
    pub(crate) site: Option<String>,
    /// The run: column `run`, field `TEST_NUM`.
    pub(crate) run: Option<String>,
    /// The operation: column `op_uid`, field `REL_VADR` or, where that is absent, `CYCL_CNT`.
    pub(crate) op_uid: Option<String>,
    /// The result: column `result`.
    pub(crate) result: Option<String>,
    /// The part: column `part`.
    pub(crate) part: Option<String>,
}

impl FieldMap {
    /// What can be named, in order.
    pub const WHAT: [&str; 5] = ["site", "run", "op_uid", "result", "part"];

    fn slot(&mut self, what: &str) -> Option<&mut Option<String>> {
        let slots = [&mut self.site, &mut self.run, &mut self.op_uid, &mut self.result, &mut self.part];
        Self::WHAT.into_iter().zip(slots).find(|(known, _)| *known == what).map(|(_, slot)| slot)
    }
}

impl FromStr for FieldMap {
    type Err = String;

    /// Reads `site=NAME,run=NAME,op_uid=NAME`, in any order and with any of them left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut map = Self::default();
        for part in text.split(',') {
            let Some((what, name)) = part.split_once('=').map(|(what, name)| (what.trim(), name.trim())) else {
                return Err(format!("`{part}` is not of the form WHAT=NAME, such as run=TEST_NUM"));
            };
            let Some(slot) = map.slot(what) else {
                let near = nearest(what, Self::WHAT);
                let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                return Err(format!("`{what}` is none of {}{near}", Self::WHAT.join(", ")));
            };
            if name.is_empty() {
                return Err(format!("`{what}=` names nothing"));
            }
            if slot.replace(name.to_owned()).is_some() {
                return Err(format!("`{what}` is named twice"));
            }
        }
        Ok(map)
    }
}
