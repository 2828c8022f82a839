//! The data of the pages of a block.
//!
//! Memory is for pages that hold data: 8 bytes for a page that was programmed at once, 24 for one with levels. A block that was closed
//! needs nothing for the pages after the last programmed one.

use std::num::NonZeroU64;

use nandseq_profile::Page;
use nandseq_profile::model::LatchLevel;

/// The uid of the operation whose data it is; `None` where nobody can tell.
pub type Datum = Option<NonZeroU64>;

/// The data of the levels of a page: LSB, CSB, MSB. A page that was programmed at once has the same for all.
pub type LevelData = [Datum; 3];

/// The data of the pages of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockData {
    pages: Pages,
    /// The data of all pages after those, if the block was closed.
    rest: Option<Datum>,
}

/// The data of pages from page 0 on.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Pages {
    /// The same for all levels of each page.
    AtOnce(Vec<Datum>),
    Levels(Vec<LevelData>),
}

impl Default for BlockData {
    fn default() -> Self {
        Self { pages: Pages::AtOnce(Vec::new()), rest: None }
    }
}

impl BlockData {
    /// The data that a page has at a level.
    #[must_use]
    pub fn read(&self, page: Page, level: LatchLevel) -> Datum {
        let held = match &self.pages {
            Pages::AtOnce(pages) => pages.get(page.index()).copied(),
            Pages::Levels(pages) => pages.get(page.index()).map(|levels| levels[level as usize]),
        };
        held.or(self.rest).flatten()
    }

    /// Programs a page. Pages are programmed in order.
    pub fn program(&mut self, page: Page, data: LevelData) {
        let [first, ..] = data;
        let at = page.index();
        if let Pages::AtOnce(pages) = &mut self.pages {
            if data == [first; 3] {
                pages.resize(at, None);
                return pages.push(first);
            }
            self.pages = Pages::Levels(pages.iter().map(|&datum| [datum; 3]).collect());
        }
        if let Pages::Levels(pages) = &mut self.pages {
            pages.resize(at, [None; 3]);
            pages.push(data);
        }
    }

    /// Fills the pages from `page` on.
    pub fn close(&mut self, page: Page, datum: Datum) {
        match &mut self.pages {
            Pages::AtOnce(pages) => pages.resize(page.index(), None),
            Pages::Levels(pages) => pages.resize(page.index(), [None; 3]),
        }
        self.rest = Some(datum);
    }

    /// The data of each page up to the last one that was programmed.
    pub fn pages(&self) -> impl Iterator<Item = LevelData> + '_ {
        let (at_once, levels) = match &self.pages {
            Pages::AtOnce(pages) => (&**pages, &[][..]),
            Pages::Levels(pages) => (&[][..], &**pages),
        };
        at_once.iter().map(|&datum| [datum; 3]).chain(levels.iter().copied())
    }

    /// The data of the pages after those, if the block was closed.
    #[must_use]
    pub const fn rest(&self) -> Option<Datum> {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [LatchLevel; 3] = [LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb];

    #[test]
    fn a_page_has_the_data_of_its_levels_whatever_the_pages_beside_it() {
        let datum = NonZeroU64::new;
        let mut block = BlockData::default();
        let pages = [[datum(1); 3], [datum(2), datum(3), datum(4)], [datum(5); 3], [datum(6), None, datum(7)]];
        for (page, data) in (0..).map(Page).zip(pages) {
            block.program(page, data);
        }
        block.close(Page(4), datum(8));
        for (page, data) in (0..).map(Page).zip(pages.into_iter().chain([[datum(8); 3]; 2])) {
            assert_eq!(LEVELS.map(|level| block.read(page, level)), data, "{page:?}");
        }
        assert_eq!(block.pages().collect::<Vec<_>>(), pages);
        assert_eq!(block.rest(), Some(datum(8)));
        assert_eq!(BlockData::default().read(Page(0), LatchLevel::Lsb), None);
    }
}
