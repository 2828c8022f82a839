// Opens a report page in a headless browser, uses it as a person would, and says what went wrong.
//
//   node scripts/report/look.mjs PAGE.html [FOLDER FOR PICTURES]
//
// Needs the npm package playwright-core and a Chromium (its path in CHROMIUM, else /usr/bin/chromium). Exits with 1 at any error
// on the console, any request to a network, and any check that fails. Says how long opening and drawing took; compares it only where
// MOST_MS or MOST_FRAME_MS say what is wanted, since other work on the machine makes everything slower.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");
const [file, folder] = process.argv.slice(2);
const faults = [];
const check = (holds, what) => {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  if (!holds) faults.push(what);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(`console: ${message.text()}`));
page.on("pageerror", (error) => faults.push(`page: ${error.stack}`));
page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || faults.push(`asks for ${request.url()}`));

const begin = Date.now();
await page.goto(pathToFileURL(resolve(file)).href);
await page.waitForSelector("html[data-ready=yes]", { timeout: 60000 });
await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const opened = Date.now() - begin;
console.log(`opened in ${opened} ms`);
if (process.env.MOST_MS) check(opened < Number(process.env.MOST_MS), "opens in time");

const span = () => page.evaluate(() => [report.gantt.from, report.gantt.to]);
const settle = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const picture = async (name, selector) => {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await settle();
  const target = selector ? page.locator(selector) : page;
  // A header that stays in place would lie on parts that are taller than the window.
  await target.screenshot({ path: `${folder}/${name}.png`, style: selector ? "header { position: static !important; }" : "" });
};

const rows = await page.evaluate(() => report.gantt.data.ops.start.length + report.gantt.data.states.start.length);
check(rows > 0, `has rows: ${rows}`);
const inked = await page.evaluate(() => {
  const { canvas } = report.gantt;
  const { data } = canvas.getContext("2d").getImageData(GUTTER * devicePixelRatio, 0, 600, 300);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  return colours.size;
});
check(inked > 5, `the timeline is painted in ${inked} colours`);
await picture("summary");
await page.locator("#timeline").scrollIntoViewIfNeeded();
await picture("everything", "#timeline");

const whole = await span();
await page.focus("#gantt");
await page.keyboard.press("+");
await page.keyboard.press("+");
await settle();
const nearer = await span();
check(nearer[1] - nearer[0] < 0.5 * (whole[1] - whole[0]), "+ zooms in");
await page.keyboard.press("ArrowRight");
await settle();
check((await span())[0] > nearer[0], "the right arrow pans");
await page.keyboard.press("0");
await settle();
check((await span())[1] === whole[1], "0 shows everything");
const box = await page.locator("#gantt").boundingBox();
await page.mouse.move(box.x + 700, box.y + 150);
await page.keyboard.down("Control");
await page.mouse.wheel(0, -600);
await page.keyboard.up("Control");
await settle();
check((await span())[1] - (await span())[0] < whole[1] - whole[0], "Ctrl and the wheel zoom");

const uid = await page.evaluate(() => report.gantt.data.ops.uid[Math.floor(report.gantt.data.ops.uid.length / 2)]);
await page.fill("#search", String(uid));
await settle();
const found = await page.evaluate(() => report.gantt.selected && report.gantt.data.ops.uid[report.gantt.selected.row]);
check(found === uid, `finds op_uid ${uid}`);
check((await page.textContent("#details")).includes(`op_uid ${uid}`), "says what it found");
check(/payload \[\{/.test(await page.textContent("#details")), "shows its payload");
await picture("found", "#timeline");
const spot = await page.evaluate(() => {
  const { gantt } = report;
  const { track, row } = gantt.selected;
  const x = (gantt.xOf(track.rows.start[row]) + gantt.xOf(track.rows.end[row])) / 2;
  return { x, y: RULER + gantt.tracks.indexOf(track) * TRACK - gantt.container.scrollTop + TRACK / 2 };
});
await page.mouse.move(box.x + 300, box.y + 5);
const now = await page.locator("#gantt").boundingBox();
await page.mouse.move(now.x + spot.x, now.y + spot.y);
await settle();
check(await page.isVisible("#tip") && (await page.textContent("#tip")).includes(`op_uid ${uid}`), "a tooltip says what is under the pointer");

await page.fill("#search", "erase");
await settle();
check(/[1-9]/.test(await page.textContent("#hits")), `finds names: ${await page.textContent("#hits")}`);
await page.press("#search", "Enter");
await settle();
const name = await page.evaluate(() => DATA.ops[report.gantt.data.ops.op[report.gantt.selected.row]].name);
check(/erase/i.test(name), `goes to a hit: ${name}`);
await page.fill("#search", "");

const joined = await page.evaluate(() => {
  const { ops, tracks } = report.gantt.data;
  const row = ops.next.findIndex((next) => next >= 0);
  if (row < 0) return null;
  const track = tracks.find((one) => one.rows === ops && row >= one.first && row < one.first + one.count);
  report.input.reveal({ track, row }, false);
  const last = ops.next[row];
  const length = ops.end[last] - ops.start[row];
  report.gantt.span(ops.start[row] - 0.2 * length, ops.end[last] + 0.2 * length);
  return ops.uid[row] === ops.uid[last];
});
if (joined !== null) {
  check(joined, "joins the stretches of a suspended operation");
  check(/stretch 1 of \d+/.test(await page.textContent("#details")), "says that it was suspended");
  await picture("suspended", "#timeline");
}

for (const [canvas, output] of [["#touch-map", "#touch-read"], ["#state-map", "#state-read"]]) {
  await page.focus(canvas);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  check(/: [\d,]+/.test(await page.textContent(output)), `${canvas} reads its cells: ${await page.textContent(output)}`);
}
for (const id of ["addresses", "states", "times", "proposals", "sites"]) await picture(id, `#${id}`);
check((await page.locator("#time-chart rect").count()) === 101, "the histogram has its bins");
check((await page.locator("#shares tbody tr").count()) > 0, "shares are listed");
check((await page.locator("#site-table tbody tr").count()) === (await page.evaluate(() => DATA.sites.length)), "sites are compared");
await page.click("#theme");
await settle();
const back = await page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
check(back[0] === "dark" && back[1] === "rgb(20, 22, 26)", "turns dark");
await page.evaluate(() => report.gantt.span(report.gantt.from, report.gantt.from + (report.gantt.to - report.gantt.from) * 2));
await picture("dark", "#timeline");

const marked = await page.evaluate(() => (DATA.violations ? { list: DATA.violations.list, clean: DATA.violations.clean } : null));
if (marked && !marked.clean) {
  const finding = page.locator("#findings button:not([disabled])").first();
  await finding.click();
  await settle();
  check(/⚠/.test(await page.textContent("#details")), `a finding leads to its operation: ${(await finding.textContent()).slice(0, 80)}`);
  check(await page.evaluate(() => report.gantt.flagged.size > 0), "violations are marked");
  await page.evaluate(() => report.gantt.zoom(3));
  await picture("violation", "#timeline");
}

// An output of what another operation brought in, on another track if there is one: its uid, and that of the other.
const passed = await page.evaluate(() => {
  const { ops } = report.gantt.data;
  if (!ops.data) return null;
  const rows = [...ops.data.keys()].filter((row) => ops.data[row] && ops.data[row] !== ops.uid[row]);
  const row = rows[Math.floor(rows.length / 2)];
  report.input.reveal({ track: trackOf(report.gantt.site, row), row }, true);
  return { uid: ops.uid[row], from: ops.data[row] };
});
if (passed !== null) {
  await settle();
  const told = await page.textContent("#details");
  check(told.includes(`op_uid ${passed.uid}`) && new RegExp(`(returns the data of|loaded by) \\w+, op_uid ${passed.from}, at [\\d.]+ µs: die \\d`).test(told),
    `an output names the operation whose data it returns: ${told.split("\n").find((line) => line.includes(`op_uid ${passed.from}`))}`);
  check(told.includes(`"data":${passed.from}`), "its payload has the data");
  await picture("data", "#timeline");
  const selected = () => page.evaluate(() => report.gantt.data.ops.uid[report.gantt.selected.row]);
  await page.click("#details button");
  await settle();
  check((await selected()) === passed.from, "a click goes there");
  check(!(await page.locator("#details button").count()), "which brought in its own");
  await page.evaluate((uid) => report.input.goTo(uid), passed.uid);
  await page.keyboard.press("d");
  await settle();
  check((await selected()) === passed.from, "and so does the key d");
  const status = await page.evaluate(() => {
    const { ops } = report.gantt.data;
    const row = ops.detail.findIndex((detail) => detail > DATA.cell_types.length);
    return payloadOf(report.gantt.site, ops, ops.uid[row]);
  });
  check(/"exp_val":\["(busy|extrdy|ready)","(no_)?erasus","(no_)?pgmsus"\]/.test(status), `a status read expects all fields: ${status}`);
}

if (await page.evaluate(() => DATA.plan !== null)) {
  const phases = await page.evaluate(() => phasesOf(report.gantt.site).map((phase) => [phase.name, phase.from < phase.to]));
  const named = await page.evaluate(() => [...new Set(report.gantt.site.runs.map((run) => run.phase))]);
  check(phases.length === named.length && phases.every(([name, long], i) => name === named[i] && long), `phases on the time axis: ${named.join(", ")}`);
  check(await page.isVisible("#plan-link") && (await page.locator("#plan-report tbody tr").count()) > 0, "the plan is reported");
  await page.locator("#plan-matches summary").first().click();
  const match = page.locator("#plan-matches button").first();
  await match.click();
  await settle();
  const shown = await page.evaluate(() => {
    const { gantt } = report;
    const { uids } = gantt.query;
    return { all: [...uids].every((uid) => gantt.data.ops.uid.includes(uid)), first: gantt.data.ops.uid[gantt.selected.row] === [...uids][0], wide: gantt.to - gantt.from };
  });
  check(/in a match: step 1 of /.test(await page.textContent("#details")), "an operation tells that it is in a match");
  check(shown.all && shown.first, `a match leads to its operations: ${await match.textContent()}`);
  await picture("match", "#timeline");
  const mark = await page.evaluate(() => {
    const { gantt } = report;
    const first = matchesOf(gantt.site)[0];
    gantt.fit();
    gantt.draw();
    return { x: gantt.xOf(first.start), uids: first.uids };
  });
  const band = await page.locator("#gantt").boundingBox();
  await page.mouse.click(band.x + mark.x, band.y + (await page.evaluate(() => RULER - BAND / 2)));
  await settle();
  const clicked = await page.evaluate(() => [...(report.gantt.query?.uids ?? [])]);
  check(clicked.length === mark.uids.length, "a mark under the ruler leads to its match");
  await picture("plan", "#plan");
}

// Everything that can be used can be reached by the Tab key.
await page.evaluate(() => document.activeElement.blur());
const wanted = await page.evaluate(() =>
  [...document.querySelectorAll("a[href],button:not([disabled]),select,input,[tabindex='0'],summary")].filter((one) => one.checkVisibility()).length);
const reached = new Set();
for (let i = 0; i < wanted + 5; i++) {
  await page.keyboard.press("Tab");
  reached.add(await page.evaluate(() => {
    window.tabbed ??= new Map();
    const one = document.activeElement;
    if (!window.tabbed.has(one)) window.tabbed.set(one, window.tabbed.size);
    return one === document.body ? -1 : window.tabbed.get(one);
  }));
}
reached.delete(-1);
check(reached.size >= wanted, `${reached.size} of ${wanted} controls are reached by the keyboard`);

// The same rows again and again, until there are a million of them: what a picture of them takes while zooming and panning.
const frames = await page.evaluate((least) => {
  const { gantt } = report;
  const { data } = gantt;
  const times = Math.max(1, Math.ceil(least / (data.ops.start.length + data.states.start.length)));
  const tiled = { ops: { isState: false }, states: { isState: true }, tracks: [], end: data.end * times };
  for (const part of ["ops", "states"]) {
    const from = data[part];
    const rows = tiled[part];
    const names = Object.keys(from).filter((name) => from[name].length === from.start.length && !["end", "reach", "next", "previous"].includes(name));
    for (const name of names) rows[name] = new from[name].constructor(from.start.length * times);
    let at = 0;
    const tracks = data.tracks.filter((track) => track.rows === from);
    for (const track of tracks) {
      const first = at;
      let last = 0;
      for (let copy = 0; copy < times; copy++) {
        for (let i = track.first; i < track.first + track.count; i++, at++) {
          for (const name of names) rows[name][at] = from[name][i];
          const start = from.start[i] + copy * data.end;
          rows.start[at] = start - last;
          last = start;
        }
      }
      tiled.tracks.push({ ...track, first, count: at - first, rows });
    }
    const own = tiled.tracks.filter((track) => track.rows === rows);
    timed(rows, own);
    if (part === "ops") joins(rows, own);
    reach(rows, own);
  }
  gantt.data = tiled;
  gantt.choose("all", "all");
  gantt.fit();
  gantt.draw();
  const took = [];
  const frame = (act) => {
    const begin = performance.now();
    act();
    gantt.draw();
    took.push(performance.now() - begin);
  };
  for (let i = 0; i < 40; i++) frame(() => gantt.zoom(0.75));
  for (let i = 0; i < 40; i++) frame(() => gantt.pan(0.1));
  for (let i = 0; i < 45; i++) frame(() => gantt.zoom(1 / 0.75));
  for (let i = 0; i < 10; i++) frame(() => gantt.pan(0.05));
  took.sort((a, b) => a - b);
  return { rows: tiled.ops.start.length + tiled.states.start.length, median: took[Math.floor(took.length / 2)], most: took.at(-1) };
}, Number(process.env.LEAST_ROWS ?? 1e6));
console.log(`${frames.rows} rows: a picture takes ${frames.median.toFixed(1)} ms (median), at most ${frames.most.toFixed(1)} ms`);
if (process.env.MOST_FRAME_MS) check(frames.most < Number(process.env.MOST_FRAME_MS), "zooms and pans in time");
await browser.close();
for (const fault of faults) console.log(`FAULT ${fault}`);
process.exit(faults.length ? 1 : 0);
