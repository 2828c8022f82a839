//! The threads on which sites are made, judged and compared.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Problem};

/// A pool of `jobs` threads; without a number, one for each core.
pub(crate) fn threads(jobs: Option<u64>) -> Result<ThreadPool, Failure> {
    let mut builder = ThreadPoolBuilder::new();
    if let Some(jobs) = jobs.and_then(|jobs| usize::try_from(jobs).ok()) {
        builder = builder.num_threads(jobs);
    }
    let refused = |_| Problem::new("the system does not let so many threads start").help("try a smaller --jobs").into();
    builder.build().map_err(refused)
}
