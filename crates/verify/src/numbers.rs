//! The numbers of rows and operations.

/// How far below the highest `op_uid` a repeated one is recognised.
const WINDOW: u64 = 1 << 16;

/// The last `seq`, and the `op_uid`s that have occurred.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    last_seq: u64,
    rows: u64,
    highest: u64,
    /// One bit for each `op_uid` of the window that ends with the highest one.
    seen: Vec<u64>,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { last_seq: 0, rows: 0, highest: 0, seen: vec![0; (WINDOW / 64) as usize] }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.last_seq.saturating_add(1)
    }

    /// Notes a row. A row without a readable number counts as if it had the expected one.
    pub(crate) fn passed(&mut self, seq: Option<u64>) {
        self.last_seq = seq.unwrap_or_else(|| self.next_seq());
        self.rows += 1;
    }

    pub(crate) fn at_first_row(&self) -> bool {
        self.rows <= 1
    }

    pub(crate) fn end_of_file(&mut self) {
        self.last_seq = 0;
        self.rows = 0;
    }

    /// Notes an `op_uid`. Returns `false` if it is known to have occurred before.
    pub(crate) fn is_new_uid(&mut self, uid: u64) -> bool {
        if uid > self.highest {
            if uid - self.highest >= WINDOW {
                self.seen.fill(0);
            } else {
                for passed in self.highest + 1..=uid {
                    let (word, bit) = slot(passed);
                    self.seen[word] &= !bit;
                }
            }
            self.highest = uid;
        } else if self.highest - uid >= WINDOW {
            return true;
        }
        let (word, bit) = slot(uid);
        let new = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        new
    }
}

fn slot(uid: u64) -> (usize, u64) {
    let at = uid % WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}
