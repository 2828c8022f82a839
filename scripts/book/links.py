"""Checks the links of a folder of HTML pages: links.py FOLDER. Exits with 1 when one leads nowhere; names them all."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FOLDER = Path(sys.argv[1]).resolve()


class Page(HTMLParser):
    """The links of a page, and the names that links may have behind `#`."""

    def __init__(self, text):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.names.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        self.links.extend(attributes[key] for key in ("href", "src") if attributes.get(key))


def main():
    # The page for printing holds all others, with links of its own.
    pages = {path: Page(path.read_text()) for path in FOLDER.rglob("*.html") if path.name != "print.html"}
    count, broken = 0, []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            count += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            lacks_name = parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names
            if not target.is_file() or not target.is_relative_to(FOLDER) or lacks_name:
                broken.append(f"{path.relative_to(FOLDER)}: {link}")
    if len(pages) < 20 or count < 500:
        sys.exit(f"book: {len(pages)} pages with {count} links are too few: nothing was checked")
    if broken:
        sys.exit("book: links that lead nowhere:\n  " + "\n  ".join(broken))
    print(f"book: {count} links in {len(pages)} pages lead somewhere")


main()
