// The timeline: pointer, keyboard, search, and what is said about a row.

/** Everything known of a row of the timeline. */
function describe(site, siteIndex, track, row) {
  const { rows } = track;
  const from = exactUs(rows.start[row]);
  const to = exactUs(rows.end[row]);
  const when = `${from} – ${to} µs (${exactUs(rows.length[row])} µs)`;
  if (rows.isState) return `${DATA.states[rows.state[row]].name} on ${track.label.replace(" state", "")}\n${when}`;
  const op = DATA.ops[rows.op[row]];
  const uid = rows.uid[row];
  const lines = [`${op.name} (${DATA.bases[op.base]}), op_uid ${uid}${placeOf(site, uid)}`, when];
  lines.push(`payload ${payloadOf(site, rows, uid)}`);
  lines.push(`op_state ${DATA.states[rows.state[row]].name}, phase key ${DATA.keys[rows.used[row]]}`
    + (rows.used[row] === rows.virtual[row] ? "" : ` (plane: ${DATA.keys[rows.virtual[row]]})`));
  const parts = stretchesOf(rows, row);
  if (parts.length > 1) {
    const ran = parts.reduce((sum, part) => sum + rows.length[part], 0);
    const whole = rows.end[parts.at(-1)] - rows.start[parts[0]];
    lines.push(`stretch ${parts.indexOf(row) + 1} of ${parts.length}: suspended for ${exactUs(whole - ran)} µs in all`);
  }
  const data = dataText(site, rows, row);
  if (data) lines.push(data);
  const inMatch = matchText(site, uid);
  if (inMatch) lines.push(inMatch);
  for (const mark of MARKS) {
    if (mark.site === siteIndex && mark.uid === uid) lines.push(`⚠ ${mark.rule}: ${mark.message}`);
  }
  return lines.join("\n");
}

/** The run an operation is of, and its row there. */
function placeOf(site, uid) {
  const run = site.runs.find((one) => uid >= one.first_uid && uid <= one.last_uid);
  return run ? `, run ${run.run}, seq ${uid - run.first_uid + 1}` : "";
}

/** The rows of an operation on this plane, in order. */
function stretchesOf(rows, row) {
  let first = row;
  while (rows.previous[first] >= 0) first = rows.previous[first];
  const all = [first];
  while (rows.next[all.at(-1)] >= 0) all.push(rows.next[all.at(-1)]);
  return all;
}

/** The track of a row of operations. */
function trackOf(site, row) {
  const { tracks, ops } = timelines(site);
  return tracks.find((one) => one.rows === ops && row >= one.first && row < one.first + one.count);
}

/** The operation that brought in the data of a row, if it is another one: { uid, found }, where `found` is null if it is not on this page. */
function sourceOf(site, rows, row) {
  const uid = rows.data?.[row];
  if (!uid || uid === rows.uid[row]) return null;
  let best = -1;
  for (let i = 0; i < rows.uid.length; i++) {
    if (rows.uid[i] !== uid || (best >= 0 && rows.plane[i] !== rows.plane[row])) continue;
    best = i;
    if (rows.plane[i] === rows.plane[row]) break;
  }
  return { uid, found: best < 0 ? null : { track: trackOf(site, best), row: best } };
}

/** What is said of the data of a row that another operation brought in. */
function dataText(site, rows, row) {
  const source = sourceOf(site, rows, row);
  if (!source) return "";
  const says = DATA.families[DATA.ops[rows.op[row]].family] === "data out" ? "returns the data of" : "the data was loaded by";
  if (!source.found) return `${says} op_uid ${source.uid}, which is not on this page`;
  const { track, row: at } = source.found;
  const { die, plane, block, page } = targetOf(track, rows, at);
  const where = Object.entries({ die, plane, block, page }).filter(([, value]) => value !== undefined).map((pair) => pair.join(" "));
  return `${says} ${DATA.ops[rows.op[at]].name}, op_uid ${source.uid}, at ${exactUs(rows.start[at])} µs: ${where.join(", ")}`;
}

/** The payload of an operation, put together from its rows. */
function payloadOf(site, rows, uid) {
  const targets = [];
  for (const track of timelines(site).tracks) {
    if (track.rows !== rows) continue;
    for (let i = track.first; i < track.first + track.count; i++) {
      if (rows.uid[i] === uid && !rows.resumed[i]) targets.push(targetOf(track, rows, i));
    }
  }
  return JSON.stringify(targets);
}

function targetOf(track, rows, row) {
  const op = DATA.ops[rows.op[row]];
  const detail = rows.detail[row];
  const cellTypes = DATA.cell_types.length + 1;
  const values = {
    die: track.die,
    plane: rows.plane[row],
    block: Number((/-b(\d+)/.exec(track.label) || [0, 0])[1]),
    page: rows.page[row],
    celltype: DATA.cell_types[(detail % cellTypes) - 1],
    exp_val: expectedStatus(Math.floor(detail / cellTypes)),
    data: rows.data?.[row] || undefined,
  };
  return Object.fromEntries(op.fields.map((field) => [field, values[field]]).filter(([, value]) => value !== undefined));
}

/** An expected status by its number; undefined for 0. */
function expectedStatus(number) {
  if (!number) return undefined;
  const status = number - 1;
  const word = [undefined, "busy", "extrdy", "ready"][status & 3];
  const words = { ready: word, erase_suspend: status & 4 ? "erasus" : "no_erasus", program_suspend: status & 8 ? "pgmsus" : "no_pgmsus" };
  return DATA.status_fields.length ? DATA.status_fields.map((field) => words[field]) : word;
}

class GanttInput {
  constructor(gantt) {
    this.gantt = gantt;
    this.tip = document.getElementById("tip");
    this.details = document.getElementById("details");
    this.search = document.getElementById("search");
    this.hits = document.getElementById("hits");
    const { canvas } = gantt;
    gantt.container.addEventListener("scroll", () => {
      this.tip.hidden = true;
      gantt.repaint();
    });
    new ResizeObserver(() => gantt.repaint()).observe(gantt.container);
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("dblclick", (event) => gantt.zoom(0.4, event.offsetX));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.search.addEventListener("input", () => this.find());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    });
    this.buttons();
    this.overview();
  }

  buttons() {
    const { gantt } = this;
    const on = (id, act) => document.getElementById(id).addEventListener("click", act);
    on("hit-next", () => this.step(1));
    on("hit-previous", () => this.step(-1));
    on("zoom-in", () => gantt.zoom(0.5));
    on("zoom-out", () => gantt.zoom(2));
    on("zoom-fit", () => gantt.fit());
    const tracks = document.getElementById("track-choice");
    const die = document.getElementById("die-choice");
    const choose = () => gantt.choose(tracks.value, die.value);
    tracks.addEventListener("change", choose);
    die.addEventListener("change", choose);
  }

  overview() {
    const canvas = document.getElementById("overview");
    const go = (event) => {
      if (!(event.buttons & 1)) return;
      const share = (event.offsetX - GUTTER) / (canvas.clientWidth - GUTTER);
      const half = (this.gantt.to - this.gantt.from) / 2;
      const middle = share * this.gantt.data.end;
      this.gantt.span(middle - half, middle + half);
    };
    canvas.addEventListener("pointerdown", go);
    canvas.addEventListener("pointermove", go);
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.gantt.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * 0.004), event.offsetX);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.gantt.pan((event.deltaX || event.deltaY) / 1000);
    }
  }

  down(event) {
    this.gantt.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.offsetX, y: event.offsetY, from: this.gantt.from, scroll: this.gantt.container.scrollTop, far: 0 };
  }

  move(event) {
    const { gantt, drag } = this;
    if (!drag) return this.hover(event);
    const [dx, dy] = [event.offsetX - drag.x, event.offsetY - drag.y];
    drag.far = Math.max(drag.far, Math.abs(dx) + Math.abs(dy));
    if (drag.far < 4) return;
    gantt.canvas.classList.add("dragged");
    const from = drag.from - dx / gantt.scale;
    gantt.span(from, from + (gantt.to - gantt.from));
    gantt.container.scrollTop = drag.scroll - dy;
  }

  up(event) {
    const { drag } = this;
    this.drag = null;
    this.gantt.canvas.classList.remove("dragged");
    if (!drag || drag.far >= 4) return;
    const match = BAND ? matchAt(this.gantt, event.offsetX, event.offsetY) : null;
    if (match) this.showMatch(match);
    else this.select(this.gantt.rowAt(event.offsetX, event.offsetY));
  }

  hover(event) {
    const found = this.gantt.rowAt(event.offsetX, event.offsetY);
    this.tip.hidden = !found;
    if (!found) return;
    if (this.tipOf?.row !== found.row || this.tipOf.track !== found.track) {
      this.tip.textContent = describe(this.gantt.site, this.gantt.siteIndex, found.track, found.row);
      this.tipOf = found;
    }
    const { offsetWidth, offsetHeight } = this.tip;
    this.tip.style.left = `${Math.min(event.clientX + 14, innerWidth - offsetWidth - 8)}px`;
    const below = event.clientY + 16;
    this.tip.style.top = `${below + offsetHeight > innerHeight ? event.clientY - offsetHeight - 10 : below}px`;
  }

  select(found) {
    this.gantt.selected = found;
    const { site, siteIndex } = this.gantt;
    this.details.textContent = found ? describe(site, siteIndex, found.track, found.row) : "Nothing selected.";
    this.source = found && sourceOf(site, found.track.rows, found.row)?.found;
    if (this.source) {
      const go = element("button", { type: "button", textContent: "Go to the operation that brought the data in" });
      go.addEventListener("click", () => this.toSource());
      this.details.append("\n", go);
    }
    this.gantt.repaint();
  }

  /** Selects the operation that brought in the data of the selected row, and shows it. */
  toSource() {
    if (!this.source) return;
    this.reveal(this.source, true);
    this.gantt.canvas.focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { gantt } = this;
    const far = event.shiftKey ? 0.6 : 0.12;
    const length = () => gantt.to - gantt.from;
    const acts = {
      ArrowLeft: () => gantt.pan(-far),
      ArrowRight: () => gantt.pan(far),
      ArrowUp: () => (gantt.container.scrollTop -= TRACK),
      ArrowDown: () => (gantt.container.scrollTop += TRACK),
      PageUp: () => (gantt.container.scrollTop -= gantt.container.clientHeight - 2 * TRACK),
      PageDown: () => (gantt.container.scrollTop += gantt.container.clientHeight - 2 * TRACK),
      Home: () => gantt.span(0, length()),
      End: () => gantt.span(gantt.data.end - length(), gantt.data.end),
      "+": () => gantt.zoom(0.6),
      "=": () => gantt.zoom(0.6),
      "-": () => gantt.zoom(1 / 0.6),
      "−": () => gantt.zoom(1 / 0.6),
      0: () => gantt.fit(),
      j: () => this.neighbour(1),
      k: () => this.neighbour(-1),
      d: () => this.toSource(),
      n: () => this.step(1),
      p: () => this.step(-1),
      "/": () => this.search.focus(),
      Enter: () => gantt.selected && this.reveal(gantt.selected, true),
      Escape: () => this.select(null),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** Selects the next or previous row of the track; without a selection, the first visible one. */
  neighbour(by) {
    const { gantt } = this;
    const { selected } = gantt;
    if (selected) {
      const row = selected.row + by;
      if (row < selected.track.first || row >= selected.track.first + selected.track.count) return;
      return this.reveal({ track: selected.track, row }, false);
    }
    const track = gantt.tracks[Math.floor(gantt.container.scrollTop / TRACK)];
    if (track) this.reveal({ track, row: Math.min(gantt.firstAt(track, gantt.from), track.first + track.count - 1) }, false);
  }

  /** What the search field asks for: a uid, or names that contain its text. */
  find() {
    const text = this.search.value.trim();
    const { gantt } = this;
    gantt.query = null;
    this.hits.textContent = "";
    if (text) {
      const lower = text.toLowerCase();
      const uid = /^\d+$/.test(text) ? Number(text) : null;
      const ops = Uint8Array.from(DATA.ops, (op) => (uid === null && op.name.toLowerCase().includes(lower) ? 1 : 0));
      gantt.query = { uid, ops, text };
      this.counted = this.count();
      this.hits.textContent = this.counted ? `${number(this.counted)} ${this.counted === 1 ? "row" : "rows"}` : "nothing found";
      if (this.counted && uid !== null) this.step(1);
    }
    gantt.repaint();
  }

  count() {
    const { ops } = this.gantt.data;
    let hits = 0;
    for (let i = 0; i < ops.start.length; i++) if (this.gantt.isHit(ops, i)) hits++;
    return hits;
  }

  /** Goes to the hit after or before the selected row, in the order of time. */
  step(by) {
    const { gantt } = this;
    if (!gantt.query) return;
    const { ops } = gantt.data;
    const { selected } = gantt;
    const from = selected && !selected.track.rows.isState ? { time: ops.start[selected.row], row: selected.row } : null;
    const here = from ?? { time: by > 0 ? gantt.from : gantt.to, row: by > 0 ? -1 : Infinity };
    const after = (a, b) => (ops.start[a] - b.time || a - b.row) * by;
    let best = -1;
    let first = -1;
    for (let i = 0; i < ops.start.length; i++) {
      if (!gantt.isHit(ops, i)) continue;
      if (first < 0 || after(i, { time: ops.start[first], row: first }) < 0) first = i;
      if (after(i, here) > 0 && (best < 0 || after(i, { time: ops.start[best], row: best }) < 0)) best = i;
    }
    const row = best >= 0 ? best : first;
    if (row < 0) return;
    this.tip.hidden = true;
    this.reveal({ track: trackOf(gantt.site, row), row }, true);
  }

  /** Selects a row and brings it into view; `near` also zooms until it can be seen. */
  reveal(found, near) {
    const { gantt } = this;
    if (!gantt.tracks.includes(found.track)) {
      document.getElementById("track-choice").value = "all";
      document.getElementById("die-choice").value = "all";
      gantt.choose("all", "all");
    }
    const { rows } = found.track;
    const top = gantt.tracks.indexOf(found.track) * TRACK;
    const { container } = gantt;
    if (top < container.scrollTop || top > container.scrollTop + container.clientHeight - RULER - 2 * TRACK) {
      container.scrollTop = top - (container.clientHeight - RULER) / 2;
    }
    const middle = (rows.start[found.row] + rows.end[found.row]) / 2;
    let length = gantt.to - gantt.from;
    if (near) length = Math.min(length, Math.max(rows.length[found.row], 1) * 8);
    if (near || middle < gantt.from || middle > gantt.to) gantt.span(middle - length / 2, middle + length / 2);
    this.select(found);
  }

  /** Shows the operations of a match, and dims all others. The keys `n` and `p` step through them. */
  showMatch(match) {
    const { gantt } = this;
    this.search.value = "";
    gantt.selected = null;
    gantt.query = { uids: new Set(match.uids) };
    this.counted = this.count();
    this.hits.textContent = `match of ${DATA.plan.scenarios[match.scenario].name}`;
    document.getElementById("timeline").scrollIntoView();
    const margin = Math.max((match.end - match.start) * 0.2, 20);
    const whole = () => gantt.span(match.start - margin, match.end + margin);
    whole();
    this.step(1);
    whole();
    gantt.canvas.focus();
  }

  /** Shows an operation by its uid. */
  goTo(uid) {
    this.search.value = String(uid);
    this.gantt.selected = null;
    this.find();
    this.gantt.canvas.focus();
  }
}
