// Dark and light: the system's choice until another is made. Canvases take their colours from the style sheet.

const COLOURS = {};
const repaints = [];

/** Has `paint` called whenever the colours, or the width of the page, change. */
function onRepaint(paint) {
  repaints.push(paint);
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  for (const name of ["back", "panel", "line", "text", "quiet", "accent", "alarm", "empty", "grid"]) COLOURS[name] = colour(`--${name}`);
  COLOURS.families = DATA.families.map((_, i) => colour(`--f${i}`));
  COLOURS.onFamilies = COLOURS.families.map(inkOn);
}

/** Black or white, whichever is easier to read on a colour. */
function inkOn(hex) {
  const channel = (at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.18 ? "#000000" : "#ffffff";
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readColours();
  for (const paint of repaints) paint();
}

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  });
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    for (const paint of repaints) paint();
  }).observe(document.body);
}

/** Gives a canvas the size it has on the screen (or this height), and its context in CSS pixels. */
function fitCanvas(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, canvas.clientWidth);
  const tall = height ?? canvas.clientHeight;
  if (height !== undefined) canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(tall * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height: tall };
}

/** Stops of a colour map that all eyes see as growing (cividis). */
const HEAT = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];

/** The colour of a share 0..1 as [red, green, blue]; small shares are near the page's back, in either theme. */
function heat(share) {
  const light = document.documentElement.dataset.theme !== "dark";
  const at = Math.min(1, Math.max(0, light ? 1 - share : share)) * (HEAT.length - 1);
  const low = Math.min(HEAT.length - 2, Math.floor(at));
  return HEAT[low].map((value, i) => Math.round(value + (at - low) * (HEAT[low + 1][i] - value)));
}
