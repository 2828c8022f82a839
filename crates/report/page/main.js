// Puts the page together.

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value, textContent: text })));
}

function start() {
  document.getElementById("title").textContent = DATA.device.name;
  document.title = `${DATA.device.name} – operation sequences`;
  const dies = [["all", "all"], ...Array.from({ length: DATA.device.dies }, (_, i) => [i, String(i)])];
  options(document.getElementById("die-choice"), dies);
  options(document.getElementById("touch-die"), dies);
  options(document.getElementById("op-names"), DATA.ops.map((op) => [op.name, op.name]));
  const choice = document.getElementById("site");
  options(choice, DATA.sites.map((site, i) => [i, site.name]));
  const sample = (name, i) => element("span", {}, element("i", { style: `background:var(--f${i})` }), name);
  document.getElementById("legend").append(...DATA.families.map(sample), element("span", { textContent: "striped: goes on after a suspension; dashed: suspended" }));
  const cut = document.getElementById("cut");
  cut.hidden = !DATA.cut;
  cut.textContent = DATA.cut;
  startTheme();

  const gantt = new Gantt(document.getElementById("gantt"), document.getElementById("tracks"));
  const input = new GanttInput(gantt);
  const touches = new TouchMap();
  const times = new InputTimes();
  const states = new StateMap((state, op) => times.pick(state, op));
  const shares = new Shares();
  const showSite = (index) => {
    choice.value = index;
    const site = DATA.sites[index];
    gantt.show(site, index);
    input.select(null);
    input.find();
    for (const part of [touches, times, states, shares]) part.show(site);
    showSummary(site);
    showRefusals(site);
    showMatches(site, input);
    const notes = DATA.cut ? [DATA.cut] : [];
    if (site.missing.length) notes.push(`Not there for every run: ${site.missing.join(", ")}.`);
    if (site.left_out) notes.push(`${number(site.left_out)} rows of the timelines were left out: the page would be too large.`);
    document.getElementById("footer").textContent = [DATA.tool, ...notes].join(" ");
  };
  choice.addEventListener("change", () => showSite(Number(choice.value)));
  onRepaint(() => gantt.data && gantt.repaint());
  showSites();
  showPlan();
  showSite(0);
  showFindings(input, showSite);
  showSuspects(input, showSite);
  // For tests and for the curious.
  window.report = { DATA, gantt, input };
  document.documentElement.dataset.ready = "yes";
}

start();
