// Heat maps on a canvas: rows x columns of counts, merged per pixel where there are more cells than pixels.

class HeatMap {
  /** `options`: gutter (px), cell (most px), tallest (px), rowLabel, classOf (of a column, for the strip on top), say, pick. */
  constructor(canvas, output, options) {
    Object.assign(this, { canvas, output, options, cursor: null, rows: 0, columns: 0, most: 1, cells: new Map() });
    this.top = options.classOf ? 20 : 0;
    this.scale = element("div", { className: "scale" });
    canvas.after(this.scale);
    canvas.addEventListener("pointermove", (event) => this.moveTo(this.cellAt(event.offsetX, event.offsetY)));
    canvas.addEventListener("click", (event) => {
      this.moveTo(this.cellAt(event.offsetX, event.offsetY));
      if (this.cursor) options.pick?.(this.cursor);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    onRepaint(() => {
      this.draw();
      this.showScale();
    });
  }

  /** `cells`: Map from row * columns + column to count. */
  show(rows, columns, cells) {
    Object.assign(this, { rows, columns, cells, cursor: null });
    this.most = 1;
    for (const count of cells.values()) this.most = Math.max(this.most, count);
    this.showScale();
    this.output.textContent = cells.size ? `${number(cells.size)} of ${number(rows * columns)} cells were hit, at most ${number(this.most)} times.`
      : "Nothing was counted.";
    this.draw();
  }

  /** What the colours mean. */
  showScale() {
    const least = Math.log1p(1) / Math.log1p(this.most);
    const stops = Array.from({ length: 8 }, (_, i) => `rgb(${heat(0.12 + 0.88 * (least + ((1 - least) * i) / 7)).join(" ")})`);
    const bar = element("i", { style: `background:linear-gradient(to right, ${stops.join(", ")})` });
    this.scale.replaceChildren("once", bar, `${number(this.most)} times, logarithmic; blank: never`);
  }

  layout() {
    const { gutter, cell, tallest } = this.options;
    const wide = Math.max(1, this.canvas.clientWidth - gutter);
    const w = Math.min(cell, wide / Math.max(1, this.columns));
    const h = Math.min(cell, tallest / Math.max(1, this.rows));
    return { gutter, w, h, height: this.top + Math.max(20, Math.ceil(h * this.rows)) };
  }

  draw() {
    const { gutter, w, h, height } = this.layout();
    const { context } = fitCanvas(this.canvas, height + 2);
    this.size = { gutter, w, h };
    const put = (x, y, count) => {
      const [red, green, blue] = heat(0.12 + 0.88 * (Math.log1p(count) / Math.log1p(this.most)));
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(gutter + x, this.top + y, Math.max(1, w >= 4 ? w - 1 : w), Math.max(1, h >= 4 ? h - 1 : h));
    };
    if (w >= 1 && h >= 1) {
      for (const [key, count] of this.cells) put((key % this.columns) * w, Math.floor(key / this.columns) * h, count);
    } else {
      const pixels = new Map();
      for (const [key, count] of this.cells) {
        const x = Math.floor((key % this.columns) * w);
        const y = Math.floor(Math.floor(key / this.columns) * h);
        const pixel = y * 65536 + x;
        pixels.set(pixel, Math.max(pixels.get(pixel) ?? 0, count));
      }
      for (const [pixel, count] of pixels) put(pixel % 65536, Math.floor(pixel / 65536), count);
    }
    this.labels(context, height);
    if (this.cursor) {
      context.strokeStyle = COLOURS.alarm;
      context.lineWidth = 2;
      context.strokeRect(gutter + this.cursor.column * w - 1, this.top + this.cursor.row * h - 1, Math.max(4, w + 1), Math.max(4, h + 1));
    }
  }

  labels(context, height) {
    const { gutter, h } = this.size;
    context.fillStyle = COLOURS.panel;
    context.fillRect(0, 0, gutter - 2, height + 2);
    context.fillStyle = COLOURS.text;
    context.font = `${Math.min(11, Math.max(9, h))}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(10 / h));
    for (let row = 0; row < this.rows; row += every) context.fillText(this.options.rowLabel(row), 4, this.top + (row + 0.5) * h, gutter - 8);
    this.classes(context);
  }

  /** A strip that says of which class the columns are. */
  classes(context) {
    if (!this.top) return;
    const { gutter, w } = this.size;
    context.font = "11px system-ui, sans-serif";
    for (let from = 0, to; from < this.columns; from = to) {
      const of = this.options.classOf(from);
      for (to = from + 1; to < this.columns && this.options.classOf(to) === of; to++);
      const wide = (to - from) * w - 1;
      context.fillStyle = COLOURS.families[of];
      context.fillRect(gutter + from * w, 1, Math.max(1, wide), this.top - 4);
      context.fillStyle = COLOURS.onFamilies[of];
      const name = DATA.families[of];
      if (context.measureText(name).width < wide - 6) context.fillText(name, gutter + from * w + 4, this.top / 2 - 0.5);
    }
  }

  cellAt(x, y) {
    const { gutter, w, h } = this.size;
    const column = Math.floor((x - gutter) / w);
    const row = Math.floor((y - this.top) / h);
    return row >= 0 && row < this.rows && column >= 0 && column < this.columns ? { row, column } : null;
  }

  moveTo(cursor) {
    if (!cursor) return;
    this.cursor = cursor;
    this.output.textContent = this.options.say(cursor.row, cursor.column, this.cells.get(cursor.row * this.columns + cursor.column) ?? 0);
    this.draw();
  }

  key(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (by) {
      event.preventDefault();
      const far = event.shiftKey ? 10 : 1;
      const { row, column } = this.cursor ?? { row: 0, column: 0 };
      const within = (value, count) => Math.max(0, Math.min(count - 1, value));
      this.moveTo({ row: within(row + by[0] * far, this.rows), column: within(column + by[1] * far, this.columns) });
    } else if (event.key === "Enter" && this.cursor) {
      event.preventDefault();
      this.options.pick?.(this.cursor);
    }
  }
}

/** The pages of the blocks that were touched. */
class TouchMap {
  constructor() {
    this.kind = document.getElementById("touch-kind");
    this.die = document.getElementById("touch-die");
    this.blocks = [];
    const label = (row) => `d${this.blocks[row][0]}-b${this.blocks[row][1]}`;
    this.map = new HeatMap(document.getElementById("touch-map"), document.getElementById("touch-read"), {
      gutter: 80, cell: 14, tallest: 460, rowLabel: label,
      say: (row, column, count) => `${label(row)}, page ${column}: ${number(count)} ${this.kind.selectedOptions[0].text}`,
    });
    for (const control of [this.kind, this.die]) control.addEventListener("change", () => this.show(this.site));
  }

  show(site) {
    this.site = site;
    const { die, block, page, programs, reads } = counts(site).touches;
    const wanted = this.die.value;
    const rowOf = new Map();
    this.blocks = [];
    const picked = [];
    let pages = 0;
    for (let i = 0; i < die.length; i++) {
      if (wanted !== "all" && die[i] !== Number(wanted)) continue;
      const count = { programs: programs[i], reads: reads[i], both: programs[i] + reads[i] }[this.kind.value];
      if (!count) continue;
      const key = die[i] * 2097152 + block[i];
      if (!rowOf.has(key)) {
        rowOf.set(key, this.blocks.length);
        this.blocks.push([die[i], block[i]]);
      }
      picked.push([rowOf.get(key), page[i], count]);
      pages = Math.max(pages, page[i] + 1);
    }
    const cells = new Map(picked.map(([row, at, count]) => [row * pages + at, count]));
    this.map.show(this.blocks.length, pages, cells);
  }
}

/** Which operations were started in which op_states. */
class StateMap {
  constructor(pick) {
    this.states = [];
    this.ops = [];
    const state = (row) => DATA.states[this.states[row]].name;
    const op = (column) => DATA.ops[this.ops[column]].name;
    this.map = new HeatMap(document.getElementById("state-map"), document.getElementById("state-read"), {
      gutter: 210, cell: 14, tallest: 1400, rowLabel: state, classOf: (column) => DATA.ops[this.ops[column]].family,
      say: (row, column, count) => `${op(column)} in ${state(row)}: ${number(count)}`,
      pick: ({ row, column }) => pick(this.states[row], this.ops[column]),
    });
  }

  show(site) {
    const { state, op, count } = counts(site).times;
    const sums = new Map();
    for (let i = 0; i < state.length; i++) {
      const key = state[i] * 65536 + op[i];
      sums.set(key, (sums.get(key) ?? 0) + count[i]);
    }
    this.states = [...new Set(state)].sort((a, b) => a - b);
    this.ops = [...new Set(op)].sort((a, b) => DATA.ops[a].family - DATA.ops[b].family || a - b);
    const row = new Map(this.states.map((one, i) => [one, i]));
    const columnOf = new Map(this.ops.map((one, i) => [one, i]));
    const cell = ([key, sum]) => [row.get(Math.floor(key / 65536)) * this.ops.length + columnOf.get(key % 65536), sum];
    this.map.show(this.states.length, this.ops.length, new Map([...sums].map(cell)));
  }
}
