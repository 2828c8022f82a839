// What the page knows, unpacked. Columns are LEB128 in base64; times are multiples of DATA.unit_ps.

const DATA = JSON.parse(document.getElementById("data").textContent);
/** What is marked on the timeline: what the verifier found, and what a tester reports. */
const MARKS = [...(DATA.violations?.list ?? []), ...(DATA.fails?.list ?? [])];

/** The bytes of a base64 text. */
function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The numbers of a column, as an array of `Type`. */
function column(columns, name, Type) {
  const bytes = bytesOf(columns[name]);
  const numbers = new Type(columns.rows);
  let at = 0;
  for (let i = 0; i < numbers.length; i++) {
    let byte = bytes[at++];
    let number = byte & 0x7f;
    // Beyond 31 bits shifts would wrap: multiply.
    for (let factor = 128; byte & 0x80; factor *= 128) {
      byte = bytes[at++];
      number += (byte & 0x7f) * factor;
    }
    numbers[i] = number;
  }
  return numbers;
}

/** Numbers that may be negative: 0, 1, 2, 3 stand for 0, -1, 1, -2. */
function signed(numbers) {
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i];
    numbers[i] = number % 2 ? -(number + 1) / 2 : number / 2;
  }
  return numbers;
}

/** Rows between which a longest one is kept, so that drawing can pass over many short ones. */
const CHUNK = 64;

/** Undoes differences within tracks, and prepares for looking up by time. */
function timed(rows, tracks) {
  const { start, length } = rows;
  const count = start.length;
  rows.end = new Float64Array(count);
  for (const track of tracks) {
    let last = 0;
    for (let i = track.first; i < track.first + track.count; i++) {
      last += start[i];
      start[i] = last;
      rows.end[i] = last + length[i];
    }
  }
  rows.longest = new Float64Array(Math.ceil(count / CHUNK));
  for (let i = 0; i < count; i++) {
    const chunk = Math.floor(i / CHUNK);
    if (length[i] > rows.longest[chunk]) rows.longest[chunk] = length[i];
  }
  return rows;
}

/** For each row the latest end (or join to a later stretch) of it and those before it in its track: sorted, so it can be searched. */
function reach(rows, tracks) {
  rows.reach = new Float64Array(rows.start.length);
  for (const track of tracks) {
    let latest = 0;
    for (let i = track.first; i < track.first + track.count; i++) {
      const next = rows.next ? rows.next[i] : -1;
      latest = Math.max(latest, rows.end[i], next >= 0 ? rows.start[next] : 0);
      rows.reach[i] = latest;
    }
  }
}

/** Which later row of the track goes on with a suspended operation; -1 for none. */
function joins(rows, tracks) {
  rows.next = new Int32Array(rows.start.length).fill(-1);
  rows.previous = new Int32Array(rows.start.length).fill(-1);
  for (const track of tracks) {
    const end = track.first + track.count;
    let any = false;
    for (let i = track.first; i < end && !any; i++) any = rows.resumed[i] === 1;
    if (!any) continue;
    const last = new Map();
    for (let i = track.first; i < end; i++) {
      const key = rows.uid[i] * 8 + rows.plane[i];
      const before = last.get(key);
      if (rows.resumed[i] && before !== undefined) {
        rows.next[before] = i;
        rows.previous[i] = before;
      }
      last.set(key, i);
    }
  }
}

/** The uids of the operations that brought in the data that rows pass on the bus; 0 where they pass none. */
function passed(packed, uids) {
  const since = signed(packed.map((one) => Math.max(one - 1, 0)));
  return packed.map((one, i) => (one ? uids[i] - since[i] : 0));
}

/** The timelines of a site, unpacked at first use. */
function timelines(site) {
  if (site.unpacked) return site.unpacked;
  const { tracks, stretches, segments } = site.timelines;
  const onBlocks = tracks.filter((track) => track.sort !== "state");
  const onPlanes = tracks.filter((track) => track.sort === "state");
  const ops = { isState: false };
  for (const name of ["start", "length", "uid"]) ops[name] = column(stretches, name, Float64Array);
  for (const name of ["op", "state", "used", "virtual", "detail", "page"]) ops[name] = column(stretches, name, Uint32Array);
  for (const name of ["plane", "resumed"]) ops[name] = column(stretches, name, Uint8Array);
  signed(ops.uid);
  for (const track of onBlocks) {
    let uid = 0;
    for (let i = track.first; i < track.first + track.count; i++) ops.uid[i] = uid += ops.uid[i];
  }
  if (stretches.data) ops.data = passed(column(stretches, "data", Float64Array), ops.uid);
  timed(ops, onBlocks);
  joins(ops, onBlocks);
  reach(ops, onBlocks);
  const states = { isState: true, start: column(segments, "start", Float64Array), length: column(segments, "length", Float64Array),
    state: column(segments, "state", Uint16Array) };
  timed(states, onPlanes);
  reach(states, onPlanes);
  let end = 1;
  for (const track of tracks) {
    track.rows = track.sort === "state" ? states : ops;
    track.die = Number((/^d(\d+)/.exec(track.label) || [0, -1])[1]);
    if (track.count) end = Math.max(end, track.rows.reach[track.first + track.count - 1]);
  }
  // A page of excerpts shows each from its first row on.
  let begin = DATA.suspects ? end : 0;
  for (const track of tracks) if (track.count) begin = Math.min(begin, track.rows.start[track.first]);
  site.unpacked = { tracks, ops, states, begin, end };
  return site.unpacked;
}

/** The counts of a site, unpacked at first use. */
function counts(site) {
  if (site.counted) return site.counted;
  const unpack = (columns, names) => Object.fromEntries(names.map((name) => [name, column(columns, name, Float64Array)]));
  site.counted = {
    touches: unpack(site.counts.touches, ["die", "block", "page", "programs", "reads"]),
    times: unpack(site.counts.input_times, ["state", "op", "time", "count"]),
    proposals: unpack(site.counts.proposals, ["key", "op", "count"]),
  };
  return site.counted;
}

/** A time as text: µs, or ms and s where that is shorter. */
function timeText(units, digits = 3) {
  const us = (units * DATA.unit_ps) / 1e6;
  const size = Math.abs(us);
  if (size >= 1e6) return `${trimmed(us / 1e6, digits + 3)} s`;
  if (size >= 1e3) return `${trimmed(us / 1e3, digits + 3)} ms`;
  return `${trimmed(us, digits)} µs`;
}

function trimmed(number, digits) {
  const text = number.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A time in µs, exactly as the tables have it. */
function exactUs(units) {
  const ps = BigInt(Math.round(units)) * BigInt(DATA.unit_ps);
  const rest = (ps % 1000000n).toString().padStart(6, "0").replace(/0+$/, "");
  return `${ps / 1000000n}.${rest || "0"}`;
}

const number = (value) => Math.round(value).toLocaleString("en");
const share = (part, whole) => (whole ? `${trimmed((100 * part) / whole, 2)} %` : "–");

/** A new element with text or children. */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "style") node.style.cssText = value;
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
