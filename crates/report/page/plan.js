// The test plan: phases and matches of scenarios on the time axis, and what the runs did of the plan.

/** The matches of a site, unpacked at first use, in order of their starts: { scenario, start, end, uids, value }. */
function matchesOf(site) {
  if (site.matchList) return site.matchList;
  site.matchList = site.matches.flatMap((of) => {
    const start = column(of.times, "start", Float64Array);
    const length = column(of.times, "length", Float64Array);
    const uid = signed(column(of.uids, "uid", Float64Array));
    for (let i = 1; i < uid.length; i++) uid[i] += uid[i - 1];
    return of.values.map((value, i) => ({
      scenario: of.scenario, value, start: start[i], end: start[i] + length[i], uids: [...uid.slice(i * of.steps, (i + 1) * of.steps)],
    }));
  });
  site.matchList.sort((a, b) => a.start - b.start || a.end - b.end);
  return site.matchList;
}

/** What is said of an operation that is a step of listed matches. */
function matchText(site, uid) {
  if (!site.matchSteps) {
    site.matchSteps = new Map();
    for (const { scenario, uids } of matchesOf(site)) {
      const { name } = DATA.plan.scenarios[scenario];
      uids.forEach((one, i) => site.matchSteps.set(one, (site.matchSteps.get(one) ?? new Set()).add(`step ${i + 1} of ${name}`)));
    }
  }
  return site.matchSteps.has(uid) ? `in a match: ${[...site.matchSteps.get(uid)].join(", ")}` : "";
}

/** Runs of a phase that follow one another: { name, from, to }. */
function phasesOf(site) {
  if (site.phaseList) return site.phaseList;
  const phases = [];
  for (const { phase, span } of site.runs) {
    if (phase === null || span === null) continue;
    const last = phases.at(-1);
    if (last?.name === phase) last.to = span[1];
    else phases.push({ name: phase, from: span[0], to: span[1] });
  }
  // A phase goes on until the next one begins.
  phases.forEach((phase, i) => (phase.to = phases[i + 1]?.from ?? phase.to));
  site.phaseList = phases;
  return phases;
}

/** The place of the first match that starts at a time or later. */
function firstFrom(list, time) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle].start < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Draws the phases, and a mark at the start of each match, under the ruler. Marks on one pixel are one. */
function drawPlan(gantt, context, width) {
  const top = RULER - BAND;
  context.save();
  context.beginPath();
  context.rect(GUTTER, top, width - GUTTER, BAND);
  context.clip();
  phasesOf(gantt.site).forEach(({ name, from, to }, i) => {
    const left = Math.max(gantt.xOf(from), GUTTER);
    const right = Math.min(gantt.xOf(to), width);
    if (right <= left) return;
    context.fillStyle = i % 2 ? COLOURS.grid : COLOURS.line;
    context.fillRect(left, top + 1, right - left, BAND - 2);
    gantt.label(context, name, COLOURS.text, left, right - left, top + 6);
  });
  context.fillStyle = COLOURS.accent;
  let before = -1;
  const list = matchesOf(gantt.site);
  for (let i = firstFrom(list, gantt.from); i < list.length && list[i].start <= gantt.to; i++) {
    const x = Math.round(gantt.xOf(list[i].start));
    if (x === before) continue;
    before = x;
    context.fillRect(x - 1, top + BAND - 8, 2, 7);
  }
  context.restore();
}

/** The match whose mark is near a point of the canvas. */
function matchAt(gantt, x, y) {
  if (y < RULER - BAND || y >= RULER) return null;
  const far = (match) => Math.abs(gantt.xOf(match.start) - x);
  const near = matchesOf(gantt.site).filter((match) => far(match) <= 4);
  return near.sort((a, b) => far(a) - far(b))[0] ?? null;
}

const planPercent = (value) => `${value.toFixed(2)} %`;

/** Shows the report on the plan, which is of all sites. */
function showPlan() {
  const { plan } = DATA;
  const box = document.getElementById("plan");
  for (const part of [box, document.getElementById("plan-link")]) part.hidden = !plan;
  if (!plan) return;
  const heading = (text) => element("h3", { textContent: text });
  const quiet = (text) => element("p", { className: "quiet", textContent: text });
  const parts = [quiet(`Counted from the rows of all sites on this page. Plan: ${plan.plan}`)];
  const inPhases = (list) => list.filter((one) => one.phase !== null).map((one) => `${one.phase} ${number(one.matches)}`).join(", ");
  if (plan.phases.length) {
    const share = (one) => `${one.name}: ${planPercent(one.wanted)} wanted, ${planPercent(one.reached)} reached`;
    const row = (phase) => [phase.name ?? "no phase", number(phase.runs), number(phase.operations), phase.shares.map(share).join("; ") || "–"];
    parts.push(heading("Phases and shares"), tableOf(["Phase", "runs", "operations", "shares"], plan.phases.map(row)));
  }
  if (plan.scenarios.length) {
    const row = (scenario) => (value) => [scenario.name, value.value.join(", ") || "all", number(scenario.wanted), number(value.matches),
      value.missing ? `⚠ ${number(value.missing)}` : "0", inPhases(value.phases)];
    const rows = plan.scenarios.flatMap((scenario) => scenario.values.map(row(scenario)));
    parts.push(heading("Scenarios"), tableOf(["Scenario", "value", "wanted", "matches", "missing", "by phase"], rows));
    const lost = plan.scenarios.filter((scenario) => scenario.given_up);
    parts.push(...lost.map((one) => quiet(`${one.name}: too many beginnings were open at once; matches may be missing.`)));
  }
  if (plan.addresses.length) {
    const limits = (entry) => entry.limits.map((one) => `${one.name}: ${number(one.used)} of ${number(one.limit)}${one.used > one.limit ? " ⚠" : ""}`);
    const regions = (entry) => entry.regions.map((one) => `weight ${one.weight}: ${planPercent(one.percent)} on ${one.region}`);
    const row = (entry) => [entry.name, regions(entry).join("; ") || "the whole device", number(entry.outside), limits(entry).join("; ") || "–"];
    parts.push(heading("Addresses and limits"), tableOf(["Entry", "operations that draw an address", "outside", "limits used"], plan.addresses.map(row)));
  }
  document.getElementById("plan-report").replaceChildren(...parts);
}

/** Lists the matches of a site. A click shows a match on the timeline. */
function showMatches(site, input) {
  const box = document.getElementById("plan-matches");
  if (!DATA.plan) return;
  const lists = site.matches.map((of) => {
    const all = matchesOf(site).filter((match) => match.scenario === of.scenario);
    const list = element("ul", { className: "matches" });
    const button = (match) => {
      const text = `${exactUs(match.start)} µs: op_uid ${match.uids.join(", ")}${match.value && ` (${match.value})`}`;
      const go = element("button", { type: "button", textContent: text });
      go.addEventListener("click", () => input.showMatch(match));
      return element("li", {}, go);
    };
    const more = of.count > all.length ? `, the first ${number(all.length)} of them listed` : "";
    const title = element("summary", { textContent: `${DATA.plan.scenarios[of.scenario].name}: ${number(of.count)} at ${site.name}${more}` });
    const details = element("details", {}, title, list);
    details.addEventListener("toggle", () => details.open && !list.childElementCount && list.append(...all.map(button)));
    return details;
  });
  box.replaceChildren(element("h3", { textContent: "Matches" }), ...(lists.length ? lists : [element("p", { className: "quiet", textContent: `None at ${site.name}.` })]));
}
