// What goes with failing: the suspects, with excerpts of the timeline around an operation that fails and one that passes.

/** A small timeline that stays as it is: a part of the time, the tracks in which something happens there. */
class Excerpt extends Gantt {
  constructor(canvas, container, site, index, uid) {
    super(canvas, container);
    this.choice = "ops";
    this.show(site, index);
    this.query = { uids: new Set([uid]) };
  }

  choose(choice) {
    this.choice = choice;
    this.tracks = this.data.tracks.filter((track) => track.sort !== "state" && track.count);
    this.container.style.height = `${Math.min(this.tracks.length, 8) * TRACK + RULER + 4}px`;
  }

  drawOverview() {}
}

/** A suspect: what it is, its figures, and its excerpts. */
function suspectCard(suspect, input, showSite) {
  const share = (of, what) => `${number(of.fails)} of ${number(of.all)} ${what} fail`;
  const [low, high] = suspect.interval.map((value) => value.toFixed(3));
  const card = element("article", { className: "suspect" },
    element("h3", { textContent: `${suspect.rank}. ${suspect.what}` }),
    element("p", { textContent: `Score ${suspect.score.toFixed(3)} (${low} to ${high}); ${share(suspect.operations, "operations")}, ${share(suspect.runs, "runs")}` }),
    suspect.also_explains.length ? element("details", { className: "quiet" }, element("summary", { textContent: `Also explains (${suspect.also_explains.length})` }),
      element("ul", {}, ...suspect.also_explains.map((textContent) => element("li", { textContent })))) : "");
  const later = [];
  for (const { word, text, site, uid } of suspect.excerpts) {
    const go = element("button", { type: "button", textContent: `${word}: ${text}` });
    go.addEventListener("click", () => {
      showSite(site);
      document.getElementById("timeline").scrollIntoView();
      input.goTo(uid);
    });
    const canvas = element("canvas", { role: "img", "aria-label": `Timeline where it ${word}: ${text}` });
    const box = element("div", { className: "excerpt" }, canvas);
    card.append(element("p", {}, go), box);
    later.push(() => {
      const excerpt = new Excerpt(canvas, box, DATA.sites[site], site, uid);
      onRepaint(() => excerpt.repaint());
    });
  }
  return { card, later };
}

/** Shows the suspects, and hides what a page of excerpts cannot say. */
function showSuspects(input, showSite) {
  const { suspects } = DATA;
  for (const part of ["suspects", "suspects-link"]) document.getElementById(part).hidden = !suspects;
  if (!suspects) return;
  for (const part of ["addresses", "states", "times", "proposals", "sites", "summary"]) {
    document.getElementById(part).hidden = true;
    document.querySelector(`nav a[href="#${part}"]`).hidden = true;
  }
  const spread = suspects.spread.map((one) => [one.kind, one.place, `${number(one.fails)} of ${number(one.of)}`, `${one.share} %`, String(one.chance)]);
  const cards = suspects.list.map((suspect) => suspectCard(suspect, input, showSite));
  document.getElementById("suspect-list").replaceChildren(
    element("p", { className: "verdict bad", textContent: suspects.verdict }),
    tableOf(["Most uneven", "place", "fails", "share of the time", "chance"], spread),
    ...cards.map(({ card }) => card));
  // A picture needs the size of its place on the page.
  cards.flatMap(({ later }) => later).forEach((draw) => draw());
}
