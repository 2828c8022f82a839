// Plain charts and tables: summary, classes, input times, refusals, shares, sites.

/** Bars with names and numbers. `items`: { name, value, note, colour, more }. */
function bars(items, most = Math.max(1, ...items.map((item) => item.value))) {
  const list = element("div", { className: "bars" });
  for (const item of items) {
    const bar = element("div", { className: "bar", style: `width:${(100 * item.value) / most}%;${item.colour ? `background:${item.colour}` : ""}` });
    list.append(item.more ? element("details", {}, element("summary", { textContent: item.name }), item.more) : element("span", { textContent: item.name }),
      bar, element("span", { className: "number", textContent: item.note ?? number(item.value) }));
  }
  return list;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const opsOf = (site) => sum(site.operations);

/** Operations of a site by class. */
function byFamily(site) {
  const totals = DATA.families.map(() => 0);
  site.operations.forEach((count, op) => (totals[DATA.ops[op].family] += count));
  return totals;
}

function showSummary(site) {
  const all = DATA.sites;
  const figures = [
    ["Device", DATA.device.name, `${DATA.device.dies} dies, ${DATA.device.planes} planes, ${number(DATA.device.blocks)} blocks, ${number(DATA.device.pages)} pages`],
    ["Sites and runs", `${number(all.length)} / ${number(sum(all.map((one) => one.runs.length)))}`, "in this page"],
    ["Operations", number(sum(all.map(opsOf))), `${number(opsOf(site))} at ${site.name}`],
    ["Simulated time", timeText(timelines(site).end), `at ${site.name}`],
    ["Names that started", `${site.operations.filter((count) => count > 0).length} of ${DATA.ops.length}`, `at ${site.name}`],
    ...DATA.figures,
  ];
  const item = ([name, value, note]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", {}, value, element("small", { textContent: note })));
  document.getElementById("figures").replaceChildren(...figures.map(item));
  const totals = byFamily(site);
  const items = DATA.families.map((name, i) => ({ name, value: totals[i], note: `${number(totals[i])} (${share(totals[i], opsOf(site))})`, colour: `var(--f${i})` }));
  document.getElementById("families").replaceChildren(bars(items));
}

/** What the verifier found and what a tester reports, each item a way to its operation. */
function showFindings(input, showSite) {
  const panels = [];
  const verdict = DATA.violations;
  if (verdict) {
    const { clean, total } = verdict;
    const broken = `⚠ Verified: rules were broken ${total === 1 ? "once" : `${number(total)} times`}.`;
    const kept = clean ? "Verified: no rule broken." : "⚠ Verified: no rule broken, but files are damaged.";
    const place = (finding) => ` [${finding.file}${finding.place}]`;
    panels.push(findingsPanel(clean, total > 0 ? broken : kept, verdict.list, place, input, showSite));
  }
  const fails = DATA.fails;
  if (fails) {
    const runs = `${number(fails.failed)} of ${number(fails.runs)} ${fails.runs === 1 ? "run" : "runs"} failed`;
    const title = fails.failed > 0 ? `⚠ Tester: ${runs}, with ${number(fails.total)} ${fails.total === 1 ? "fail" : "fails"}.` : `Tester: ${runs}.`;
    panels.push(findingsPanel(fails.failed === 0, title, fails.list, () => "", input, showSite));
  }
  document.getElementById("findings").replaceChildren(...panels);
}

function findingsPanel(clean, title, findings, place, input, showSite) {
  const panel = element("div", { className: clean ? "verdict" : "verdict bad" });
  panel.append(element("strong", { textContent: title }));
  const list = element("ul");
  for (const finding of findings.slice(0, 200)) {
    const text = `${finding.rule}: ${finding.op ?? ""} ${finding.uid === null ? "" : `(op_uid ${finding.uid})`} – ${finding.message}${place(finding)}`;
    const go = element("button", { type: "button", textContent: text, title: finding.sentence ?? "", disabled: finding.uid === null || finding.site === null });
    go.addEventListener("click", () => {
      showSite(finding.site);
      document.getElementById("timeline").scrollIntoView();
      input.goTo(finding.uid);
    });
    list.append(element("li", {}, go));
  }
  panel.append(list);
  return panel;
}

/** Histogram of the fraction of an op_state at which operations started. */
class InputTimes {
  constructor() {
    this.state = document.getElementById("time-state");
    this.op = document.getElementById("time-op");
    for (const control of [this.state, this.op]) control.addEventListener("change", () => this.draw());
    onRepaint(() => this.site && this.draw());
  }

  show(site) {
    this.site = site;
    const { state, op } = counts(site).times;
    const fill = (select, ids, name, any) => {
      const before = select.value;
      const option = (id) => element("option", { value: id, textContent: name(id) });
      select.replaceChildren(element("option", { value: "all", textContent: any }), ...[...new Set(ids)].sort((a, b) => a - b).map(option));
      select.value = [...select.options].some((one) => one.value === before) ? before : "all";
    };
    fill(this.state, state, (id) => DATA.states[id].name, "all that have a length");
    fill(this.op, op, (id) => DATA.ops[id].name, "all");
    this.draw();
  }

  pick(state, op) {
    this.state.value = state;
    this.op.value = op;
    this.draw();
    document.getElementById("times").scrollIntoView();
  }

  draw() {
    const { state, op, time, count } = counts(this.site).times;
    const bins = new Float64Array(101);
    for (let i = 0; i < state.length; i++) {
      const inState = this.state.value === "all" ? DATA.states[state[i]].phase !== "end" : state[i] === Number(this.state.value);
      if (inState && (this.op.value === "all" || op[i] === Number(this.op.value))) bins[time[i]] += count[i];
    }
    document.getElementById("time-chart").replaceChildren(histogram(bins));
  }
}

// The parser knows the name space; a page that names no address at all is easier to trust.
const SVG = new DOMParser().parseFromString("<svg></svg>", "text/html").body.firstChild.namespaceURI;

function svg(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function histogram(bins) {
  const [width, height, left, base] = [900, 200, 60, 170];
  const most = Math.max(1, ...bins);
  const total = sum([...bins]);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", style: "max-width:70rem;width:100%" });
  picture.append(svg("title", {}, `${number(total)} operations; the fullest hundredth has ${number(most)}, ${[...bins].filter((one) => !one).length} of 101 have none`));
  const step = (width - left - 20) / bins.length;
  bins.forEach((count, i) => {
    const high = (count / most) * (base - 15);
    const bar = svg("rect", { x: left + i * step, y: base - high, width: step * 0.86, height: high });
    bar.append(svg("title", {}, `${(i / 100).toFixed(2)}: ${number(count)}`));
    picture.append(bar);
  });
  picture.append(svg("line", { class: "axis", x1: left, x2: width - 20, y1: base, y2: base }));
  for (let i = 0; i <= 100; i += 10) picture.append(svg("text", { x: left + i * step, y: base + 15 }, (i / 100).toFixed(1)));
  picture.append(svg("text", { x: 4, y: 20 }, number(most)), svg("text", { x: 4, y: base }, "0"));
  picture.append(svg("text", { x: left, y: height - 2 }, `input time; ${number(total)} operations`));
  return picture;
}

function showRefusals(site) {
  const box = document.getElementById("refusals");
  const { refusals, accepted } = site.counts;
  if (!refusals.length) {
    box.replaceChildren(element("p", { className: "quiet", textContent: "No log of the proposer lies beside these runs." }));
    return;
  }
  const refused = sum(refusals.map((one) => one.count));
  const more = (one) => element("span", { className: "quiet", textContent: one.most.map(([op, count]) => `${DATA.ops[op].name} ${number(count)}`).join(", ") });
  const items = refusals.map((one) => ({ name: one.reason, value: one.count, note: `${number(one.count)} (${share(one.count, refused)})`, more: more(one) }));
  const text = `${number(refused)} refused, ${number(accepted ?? 0)} accepted.`;
  box.replaceChildren(element("p", { className: "quiet", textContent: text }), bars(items));
}

/** Configured and observed shares of names under a phase key. */
class Shares {
  constructor() {
    this.key = document.getElementById("key-choice");
    this.key.addEventListener("change", () => this.draw());
  }

  show(site) {
    this.site = site;
    const { key, op, count } = counts(site).proposals;
    this.observed = new Map();
    for (let i = 0; i < key.length; i++) {
      if (!this.observed.has(key[i])) this.observed.set(key[i], new Map());
      this.observed.get(key[i]).set(op[i], count[i]);
    }
    const total = (of) => sum([...(this.observed.get(of)?.values() ?? [])]);
    const keys = DATA.keys.map((_, i) => i).filter((i) => this.observed.has(i) || DATA.configured?.[i].length);
    keys.sort((a, b) => total(b) - total(a) || a - b);
    const before = this.key.value;
    this.key.replaceChildren(...keys.map((i) => element("option", { value: i, textContent: `${DATA.keys[i]} (${number(total(i))})` })));
    if (keys.includes(Number(before)) && before !== "") this.key.value = before;
    this.draw();
  }

  draw() {
    const key = Number(this.key.value);
    const observed = this.observed.get(key) ?? new Map();
    const total = sum([...observed.values()]);
    const configured = new Map(DATA.configured?.[key] ?? []);
    const ops = [...new Set([...configured.keys(), ...observed.keys()])];
    const row = (op) => ({ op, wanted: configured.get(op) ?? 0, seen: total ? (observed.get(op) ?? 0) / total : 0, count: observed.get(op) ?? 0 });
    const rows = ops.map(row).sort((a, b) => b.wanted - a.wanted || b.seen - a.seen);
    const most = Math.max(1e-9, ...rows.flatMap((one) => [one.wanted, one.seen]));
    const pair = (one) => element("span", { className: "pair" },
      element("i", { style: `width:${(100 * one.wanted) / most}%` }), element("i", { style: `width:${(100 * one.seen) / most}%` }));
    const percent = (value) => `${(100 * value).toFixed(2)} %`;
    const cells = (one) => [DATA.ops[one.op].name, DATA.configured ? percent(one.wanted) : "–", percent(one.seen), number(one.count), pair(one)];
    const far = sum(rows.map((one) => Math.abs(one.wanted - one.seen))) / 2;
    const text = DATA.configured ? `${number(total)} proposals accepted; half the sum of differences is ${percent(far)}. ` : "The probability table is not known here. ";
    const note = "Observed are accepted proposals: what the device's state forbids is drawn, and refused, more often than it is seen. Upper bar configured, lower bar observed.";
    document.getElementById("shares").replaceChildren(element("p", { className: "quiet", textContent: text + note }),
      tableOf(["Operation", "configured", "observed", "accepted", ""], rows.map(cells)));
  }
}

/** A table in a box that scrolls. */
function tableOf(head, rows) {
  const cell = (tag) => (content) => element(tag, tag === "th" ? { scope: "col" } : {}, content);
  const body = rows.map((row) => element("tr", {}, ...row.map(cell("td"))));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map(cell("th")))), element("tbody", {}, ...body));
  return element("div", { className: "scroll", tabIndex: 0 }, table);
}

function showSites() {
  const rows = DATA.sites.map((site) => {
    const { times, touches } = counts(site);
    const cells = new Set(times.state.map((state, i) => state * 65536 + times.op[i]));
    const refused = sum(site.counts.refusals.map((one) => one.count));
    const accepted = site.counts.accepted;
    return [site.name, number(site.runs.length), number(opsOf(site)), ...byFamily(site).map(number), number(cells.size),
      number(touches.page.length), accepted === null ? "–" : share(refused, refused + accepted)];
  });
  const head = ["Site", "runs", "operations", ...DATA.families, "state × operation", "pages touched", "refused"];
  document.getElementById("site-table").replaceChildren(tableOf(head, rows));
}
