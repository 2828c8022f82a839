//! The threads that sites are made, judged and compared on.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Problem};

/// Threads for so many sites at a time; without a number as many as there are cores.
pub(crate) fn threads(jobs: Option<u64>) -> Result<ThreadPool, Failure> {
    let mut builder = ThreadPoolBuilder::new();
    if let Some(jobs) = jobs.and_then(|jobs| usize::try_from(jobs).ok()) {
        builder = builder.num_threads(jobs);
    }
    let refused = |_| Problem::new("the system does not let so many threads start").help("try a smaller --jobs").into();
    builder.build().map_err(refused)
}
