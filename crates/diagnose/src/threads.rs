//! Work that is shared by all cores. What comes out does not depend on their number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What a thread collects. In whatever order parts are absorbed, the result is the same.
pub(crate) trait Absorb: Send {
    /// Takes over what another thread collected.
    fn absorb(&mut self, other: Self);
}

/// Does numbered tasks and returns what they collect, or the error of the first task that has one.
pub(crate) fn collect<C: Absorb, E: Send>(
    tasks: usize,
    new: &(impl Fn() -> C + Sync),
    task: &(impl Fn(&mut C, usize) -> Result<(), E> + Sync),
) -> Result<C, E> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut collected = new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= tasks {
                return (collected, None);
            }
            if let Err(error) = task(&mut collected, at) {
                // Tasks are taken in order, so that those before it are done or under way.
                next.store(tasks, Ordering::Relaxed);
                return (collected, Some((at, error)));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(tasks);
    let (others, (mut all, mut first)) = work_apart(threads.saturating_sub(1), &work);
    for (collected, error) in others {
        all.absorb(collected);
        first = first.into_iter().chain(error).min_by_key(|(at, _)| *at);
    }
    first.map_or(Ok(all), |(_, error)| Err(error))
}

/// Does work in this thread and in others. Returns what the others did, and what this one did.
fn work_apart<R: Send>(others: usize, work: &(impl Fn() -> R + Sync)) -> (Vec<R>, R) {
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let own = work();
        let join =
            |one: thread::ScopedJoinHandle<'_, R>| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (others.into_iter().map(join).collect(), own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Absorb for u64 {
        fn absorb(&mut self, other: Self) {
            *self += other;
        }
    }

    #[test]
    fn every_task_is_done_once_and_the_first_error_counts() {
        let sum = collect::<u64, usize>(1000, &|| 0, &|sum, at| {
            *sum += at as u64;
            Ok(())
        });
        assert_eq!(sum, Ok(499_500));
        for _ in 0..50 {
            let fails = |_: &mut u64, at: usize| if at % 7 == 6 { Err(at) } else { Ok(()) };
            assert_eq!(collect(1000, &|| 0u64, &fails), Err(6));
        }
    }
}
