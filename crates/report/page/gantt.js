// The timeline: which rows are visible, and how they are drawn.
//
// Cost of a picture: visible tracks x pixels, not rows. Rows shorter than a pixel are merged per pixel; chunks of rows that hold
// nothing longer are passed over.

const TRACK = 22;
/** The height of the band of phases and matches under the ruler; none without a plan. */
const BAND = DATA.plan || DATA.sites.some((site) => site.runs.some((run) => run.phase !== null)) ? 20 : 0;
const RULER = 24 + BAND;
const GUTTER = 108;

class Gantt {
  constructor(canvas, container) {
    this.canvas = canvas;
    this.container = container;
    this.selected = null; // { track, row }
    this.query = null; // { uid, ops: Uint8Array, text }, or { uids: Set } for a match
    this.drawn = 0; // rows looked at for the last picture
    this.pending = false;
    this.widths = new Map(); // of labels, px
  }

  show(site, index) {
    this.site = site;
    this.siteIndex = index;
    this.data = timelines(site);
    this.flagged = new Map();
    for (const mark of MARKS) {
      if (mark.site === index && mark.uid !== null) this.flagged.set(mark.uid, mark);
    }
    this.selected = null;
    this.choose(this.choice ?? "all", this.die ?? "all");
    this.fit();
  }

  /** Which tracks are shown. */
  choose(choice, die) {
    this.choice = choice;
    this.die = die;
    const wanted = (track) =>
      (choice === "all" || (choice === "state") === (track.sort === "state")) && (die === "all" || track.die === Number(die));
    this.tracks = this.data.tracks.filter(wanted);
    document.getElementById("tracks-height").style.height = `${this.tracks.length * TRACK + RULER + 4}px`;
    this.repaint();
  }

  fit() {
    this.from = this.data.begin;
    this.to = this.data.end;
    this.repaint();
  }

  /** Shows a span of time, kept inside the site's and not shorter than a few units. */
  span(from, to) {
    const least = 20;
    const whole = this.data.end;
    let length = Math.min(Math.max(to - from, least), Math.max(whole, least));
    const middle = (from + to) / 2;
    this.from = Math.max(0, Math.min(middle - length / 2, whole - length));
    this.to = this.from + length;
    this.repaint();
  }

  zoom(factor, x = this.width / 2 + GUTTER / 2) {
    const share = Math.min(1, Math.max(0, (x - GUTTER) / (this.width - GUTTER)));
    const at = this.from + share * (this.to - this.from);
    const length = (this.to - this.from) * factor;
    this.span(at - share * length, at + (1 - share) * length);
  }

  pan(share) {
    const by = share * (this.to - this.from);
    this.span(this.from + by, this.to + by);
  }

  repaint() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  xOf(time) {
    return GUTTER + (time - this.from) * this.scale;
  }

  timeOf(x) {
    return this.from + (x - GUTTER) / this.scale;
  }

  draw() {
    const { context, width, height } = fitCanvas(this.canvas, this.container.clientHeight);
    this.width = width;
    this.scale = (width - GUTTER) / (this.to - this.from);
    this.drawn = 0;
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    this.drawRuler(context, width, height);
    if (BAND) drawPlan(this, context, width);
    const scroll = this.container.scrollTop;
    const first = Math.max(0, Math.floor(scroll / TRACK));
    const last = Math.min(this.tracks.length, Math.ceil((scroll + height - RULER) / TRACK));
    context.save();
    context.beginPath();
    context.rect(0, RULER, width, height - RULER);
    context.clip();
    for (let i = first; i < last; i++) this.drawTrack(context, this.tracks[i], RULER + i * TRACK - scroll, width);
    context.restore();
    this.drawOverview();
  }

  drawRuler(context, width, height) {
    const least = 90 / this.scale;
    const unit = DATA.unit_ps;
    const power = 10 ** Math.floor(Math.log10(least * unit));
    const step = ([1, 2, 5, 10].find((one) => one * power >= least * unit) * power) / unit;
    context.lineWidth = 1;
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = Math.round(this.xOf(at)) + 0.5;
      context.strokeStyle = COLOURS.grid;
      context.beginPath();
      context.moveTo(x, RULER - 5);
      context.lineTo(x, height);
      context.stroke();
      context.fillStyle = COLOURS.quiet;
      context.textAlign = "left";
      context.fillText(timeText(at), x + 3, 9);
    }
    context.fillStyle = COLOURS.alarm;
    for (const mark of MARKS) {
      if (mark.site !== this.siteIndex || mark.time === null) continue;
      const x = this.xOf(mark.time);
      if (x < GUTTER || x > width) continue;
      context.beginPath();
      context.moveTo(x - 5, RULER - 10);
      context.lineTo(x + 5, RULER - 10);
      context.lineTo(x, RULER - 1);
      context.fill();
    }
  }

  /** The first row of a track that is not over at `time`. */
  firstAt(track, time) {
    const reach = track.rows.reach;
    let low = track.first;
    let high = track.first + track.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reach[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  drawTrack(context, track, top, width) {
    context.fillStyle = COLOURS.grid;
    context.fillRect(0, top + TRACK - 1, width, 1);
    const { rows } = track;
    const end = track.first + track.count;
    const high = rows.isState ? TRACK - 8 : TRACK - 5;
    const y = top + (TRACK - 1 - high) / 2;
    context.save();
    context.beginPath();
    context.rect(GUTTER, top, width - GUTTER, TRACK);
    context.clip();
    let row = this.firstAt(track, this.from);
    while (row < end && rows.start[row] < this.to) {
      this.drawn++;
      const x = this.xOf(rows.start[row]);
      const right = this.xOf(rows.end[row]);
      if (right - x >= 1) {
        this.drawRow(context, rows, row, x, right, y, high);
        row++;
      } else {
        this.drawRow(context, rows, row, Math.floor(x), Math.floor(x) + 1, y, high);
        row = this.nextVisible(rows, row + 1, end, this.timeOf(Math.floor(x) + 1));
      }
    }
    context.restore();
    context.fillStyle = COLOURS.panel;
    context.fillRect(0, top, GUTTER, TRACK - 1);
    context.fillStyle = this.selected?.track === track ? COLOURS.accent : COLOURS.text;
    context.textAlign = "left";
    context.fillText(track.label, 6, top + TRACK / 2);
  }

  /** The next row that starts in a later pixel, is longer than one, or must not be lost in a crowd. */
  nextVisible(rows, row, end, time) {
    const least = 1 / this.scale;
    while (row < end && rows.start[row] < time) {
      const chunk = Math.floor(row / CHUNK);
      const next = (chunk + 1) * CHUNK;
      if (rows.longest[chunk] < least && row % CHUNK === 0 && next < end && rows.start[next] < time && !this.query) {
        row = next;
        continue;
      }
      this.drawn++;
      if (rows.length[row] >= least || (this.query && this.isHit(rows, row))) return row;
      row++;
    }
    return row;
  }

  isHit(rows, row) {
    if (rows.isState || this.query === null) return false;
    const { uids, uid, ops } = this.query;
    return uids ? uids.has(rows.uid[row]) : uid === rows.uid[row] || ops[rows.op[row]] === 1;
  }

  drawRow(context, rows, row, x, right, y, high) {
    const left = Math.max(x, GUTTER - 2);
    const wide = Math.min(right, this.width + 2) - left;
    if (rows.isState) return this.drawState(context, rows, row, left, wide, y, high);
    const op = DATA.ops[rows.op[row]];
    const dim = this.query && !this.isHit(rows, row);
    context.globalAlpha = dim ? 0.22 : 1;
    context.fillStyle = COLOURS.families[op.family];
    if (wide > 0) context.fillRect(left, y, Math.max(1, wide), high);
    if (rows.resumed[row] && wide > 3) this.hatch(context, left, y, wide, high);
    const next = rows.next[row];
    if (next >= 0) this.join(context, right, this.xOf(rows.start[next]), y + high / 2);
    if (wide > 30) this.label(context, op.name, COLOURS.onFamilies[op.family], left, wide, y + high / 2);
    context.globalAlpha = 1;
    const flagged = this.flagged.has(rows.uid[row]);
    const selected = this.selected?.track.rows === rows && rows.uid[this.selected.row] === rows.uid[row];
    if (flagged || selected) {
      context.strokeStyle = flagged ? COLOURS.alarm : COLOURS.text;
      context.lineWidth = flagged ? 3 : 2;
      context.strokeRect(left - 1, y - 1, Math.max(2, wide + 2), high + 2);
    }
    if (flagged) this.label(context, "⚠", COLOURS.alarm, Math.max(left, right - 14), 40, y + high / 2);
  }

  drawState(context, rows, row, left, wide, y, high) {
    if (wide <= 0) return;
    const state = DATA.states[rows.state[row]];
    context.fillStyle = COLOURS.families[state.family ?? 7];
    context.globalAlpha = state.phase === "busy" ? 1 : 0.55;
    const inset = wide < 2 ? 0 : state.phase === "issue" ? high / 3 : state.phase === "window" ? high / 6 : 0;
    context.fillRect(left, y + inset, Math.max(1, wide), high - 2 * inset);
    context.globalAlpha = 1;
    if (wide > 46 && state.phase === "busy") this.label(context, state.name, COLOURS.onFamilies[state.family ?? 7], left, wide, y + high / 2);
    if (this.selected?.track.rows === rows && this.selected.row === row) {
      context.strokeStyle = COLOURS.text;
      context.lineWidth = 2;
      context.strokeRect(left, y - 1, wide, high + 2);
    }
  }

  /** Stripes: a stretch that goes on after a suspension. */
  hatch(context, left, y, wide, high) {
    context.save();
    context.beginPath();
    context.rect(left, y, wide, high);
    context.clip();
    context.strokeStyle = COLOURS.back;
    context.globalAlpha *= 0.55;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let x = left - high; x < left + wide; x += 7) {
      context.moveTo(x, y + high);
      context.lineTo(x + high, y);
    }
    context.stroke();
    context.restore();
  }

  /** The time a suspended operation waits. */
  join(context, from, to, y) {
    context.strokeStyle = COLOURS.text;
    context.lineWidth = 1.5;
    context.setLineDash([5, 3]);
    context.beginPath();
    context.moveTo(Math.max(from, GUTTER - 2), y);
    context.lineTo(Math.min(to, this.width + 2), y);
    context.stroke();
    context.setLineDash([]);
  }

  label(context, text, colour, left, wide, y) {
    if (!this.widths.has(text)) this.widths.set(text, context.measureText(text).width);
    const fits = Math.floor((text.length * (wide - 8)) / this.widths.get(text));
    if (fits < 1) return;
    context.fillStyle = colour;
    context.textAlign = "left";
    context.fillText(text.length > fits ? `${text.slice(0, Math.max(1, fits - 1))}…` : text, left + 4, y + 0.5);
  }

  /** How many operations start when, and which part of it all is visible. */
  drawOverview() {
    const canvas = document.getElementById("overview");
    const { context, width, height } = fitCanvas(canvas);
    const bars = Math.max(1, Math.floor(width - GUTTER));
    if (this.crowd?.of !== this.data || this.crowd.counts.length !== bars) {
      const counts = new Float64Array(bars);
      const { start } = this.data.ops;
      for (let i = 0; i < start.length; i++) counts[Math.min(bars - 1, Math.floor((start[i] / this.data.end) * bars))]++;
      this.crowd = { of: this.data, counts, most: counts.reduce((most, one) => Math.max(most, one), 1) };
    }
    context.fillStyle = COLOURS.quiet;
    this.crowd.counts.forEach((count, i) => {
      const high = count ? Math.max(1, (count / this.crowd.most) * (height - 4)) : 0;
      context.fillRect(GUTTER + i, height - high, 1, high);
    });
    const from = GUTTER + (this.from / this.data.end) * bars;
    const wide = Math.max(3, ((this.to - this.from) / this.data.end) * bars);
    context.strokeStyle = COLOURS.accent;
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, wide - 2, height - 2);
    context.fillStyle = COLOURS.quiet;
    context.font = "11px system-ui, sans-serif";
    context.fillText("operations", 6, height / 2 + 4);
  }

  /** The row under a point of the canvas, within two pixels. */
  rowAt(x, y) {
    if (x < GUTTER || y < RULER) return null;
    const track = this.tracks[Math.floor((y - RULER + this.container.scrollTop) / TRACK)];
    if (!track) return null;
    const { rows } = track;
    const near = 2 / this.scale;
    const time = this.timeOf(x);
    const end = track.first + track.count;
    let best = -1;
    let row = this.firstAt(track, time - near);
    for (let looked = 0; row < end && rows.start[row] <= time + near && looked < 5000; row++, looked++) {
      if (rows.end[row] < time - near) continue;
      if (best < 0 || rows.length[row] <= rows.length[best]) best = row;
    }
    return best < 0 ? null : { track, row: best };
  }
}
