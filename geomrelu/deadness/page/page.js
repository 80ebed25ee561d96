"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const one = (selector, inside = document) => inside.querySelector(selector);
const made = (name, what = {}, ...inside) => {
  const element = Object.assign(document.createElement(name), what);
  element.append(...inside);
  return element;
};

// ---- kinds: a colour, a pattern and a letter each ------------------------------------------------------------------

const STYLE = {
  S: { fill: "#14284b", ink: "#ffffff", name: "stably dead" },
  D: { fill: "#4a6ea9", ink: "#ffffff", name: "dead" },
  T: { fill: "#e09b2d", ink: "#000000", name: "dead, touches 0" },
  A: { fill: "#9fd3b5", ink: "#000000", name: "always active" },
  L: { fill: "#ece8de", ink: "#57534c", name: "alive" },
  "?": { fill: "#ffffff", ink: "#9a1f6b", name: "undecided" },
};

function cell(pen, kind, x, y, size) {
  const style = STYLE[kind], inner = size > 5 ? size - 1 : size - 0.5;
  pen.fillStyle = style.fill;
  pen.fillRect(x, y, inner, inner);
  pen.strokeStyle = style.ink;
  pen.lineWidth = size > 10 ? 1 : 0.6;
  if (size < 5) return;
  pen.beginPath();
  if (kind === "S" || kind === "D") { pen.moveTo(x, y + inner); pen.lineTo(x + inner, y); }
  if (kind === "S") { pen.moveTo(x, y); pen.lineTo(x + inner, y + inner); }
  if (kind === "T") pen.rect(x + inner / 4, y + inner / 4, inner / 2, inner / 2);
  if (kind === "A") { pen.moveTo(x + 1, y + inner - 0.7); pen.lineTo(x + inner - 1, y + inner - 0.7); }
  if (kind === "?") pen.rect(x + 0.5, y + 0.5, inner - 1, inner - 1);
  if (size < 15) {
    const alpha = pen.globalAlpha;
    if (kind === "S") pen.globalAlpha = 0.35 * alpha;
    pen.stroke();
    pen.globalAlpha = alpha;
    return;
  }
  if (kind === "?" || kind === "A") pen.stroke();
  else if (kind !== "L" && kind !== "T") { pen.globalAlpha *= 0.35; pen.stroke(); pen.globalAlpha /= 0.35; }
  pen.fillStyle = style.ink;
  pen.font = `${kind === "L" ? "" : "bold "}${Math.round(size * 0.58)}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(kind, x + inner / 2, y + inner / 2 + 0.5);
}

const sharp = () => Math.min(window.devicePixelRatio || 1, 2);

function canvasOf(canvas, width, height) {
  canvas.width = Math.ceil(width * sharp());
  canvas.height = Math.ceil(height * sharp());
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(sharp(), 0, 0, sharp(), 0, 0);
  return pen;
}

for (const mark of document.querySelectorAll(".mark")) cell(canvasOf(mark, 18, 18), mark.dataset.kind, 1, 1, 17);

// ---- a layer --------------------------------------------------------------------------------------------------------

const number = (layer, k) => (layer.neurons ? layer.neurons[k] : k);
const named = (layer, k) => `${layer.layer}:${number(layer, k)}`;

function supremum(layer, k) {
  const text = layer.text[k], value = layer.upper[k];
  if (text !== undefined) return text;
  if (value === null) return "";
  return layer.exact[k] === "1" ? `≈ ${value}` : `≤ ${value}`;
}

function where(layer, k) {
  if (layer.shape.length < 2) return "";
  let rest = number(layer, k);
  const at = [];
  for (const size of [...layer.shape].reverse()) { at.unshift(rest % size); rest = Math.floor(rest / size); }
  return at.join(", ");
}

// Where the cells are: row by row, or as one block for each channel.
function arranged(layer, width) {
  const count = layer.kinds.length, shape = layer.shape;
  if (!layer.neurons && shape.length === 3 && shape[0] * shape[1] * shape[2] === layer.width && shape[1] * shape[2] > 1) {
    const last = shape[0] === shape[1] && shape[2] !== shape[0]; // channels last
    const [c, h, w] = last ? [shape[2], shape[0], shape[1]] : shape;
    const size = Math.max(2, Math.min(18, Math.floor((count > 4000 ? 120 : 240) / w), Math.floor((width - 8) / w)));
    const gap = 8, across = Math.max(1, Math.floor((width + gap) / (w * size + gap)));
    const step = [w * size + gap, h * size + gap];
    const spot = (k) => {
      const [channel, at] = last ? [k % c, Math.floor(k / c)] : [Math.floor(k / (h * w)), k % (h * w)];
      return [
        (channel % across) * step[0] + (at % w) * size,
        Math.floor(channel / across) * step[1] + Math.floor(at / w) * size,
      ];
    };
    const hit = (x, y) => {
      const bx = Math.floor(x / step[0]), by = Math.floor(y / step[1]), channel = by * across + bx;
      const cx = Math.floor((x - bx * step[0]) / size), cy = Math.floor((y - by * step[1]) / size);
      if (bx >= across || channel >= c || cx >= w || cy >= h || cx < 0 || cy < 0) return -1;
      return last ? (cy * w + cx) * c + channel : channel * h * w + cy * w + cx;
    };
    const inRow = last ? w * c : w;
    return { size, spot, hit, row: inRow, width: Math.min(across, c) * step[0], height: Math.ceil(c / across) * step[1] };
  }
  const size = count <= 300 ? 24 : count <= 1200 ? 17 : count <= 6000 ? 9 : count <= 30000 ? 5 : 3;
  const fit = Math.floor(width / size), row = Math.max(1, Math.min(count, fit < 25 ? fit : fit - (fit % 5)));
  const spot = (k) => [(k % row) * size, Math.floor(k / row) * size];
  const hit = (x, y) => {
    const k = Math.floor(y / size) * row + Math.floor(x / size);
    return x >= row * size || x < 0 || y < 0 || k >= count ? -1 : k;
  };
  return { size, spot, hit, row, width: row * size, height: Math.ceil(count / row) * size };
}

// ---- pictures ------------------------------------------------------------------------------------------------------

function drawn(picture, kind, largest) {
  const [c, h, w] = picture.size, bytes = Uint8Array.from(atob(picture.pixels), (x) => x.charCodeAt(0));
  const apart = kind === "weights" && c === 3; // three grey pictures side by side: red, green, blue
  const canvas = made("canvas", { className: `pixels ${kind}`, width: apart ? 3 * w + 2 : w, height: h });
  const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, h);
  for (let part = 0; part < (apart ? 3 : 1); part++) {
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
      const from = y * w + x, to = 4 * (y * canvas.width + part * (w + 1) + x);
      for (let j = 0; j < 3; j++) image.data[to + j] = bytes[(apart ? part : c === 3 ? j : 0) * h * w + from];
      image.data[to + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  const scale = Math.max(1, Math.floor(largest / Math.max(canvas.width, h)));
  canvas.style.width = `${canvas.width * scale}px`;
  return canvas;
}

const decoded = (picture, kind, largest, caption) => {
  const canvas = drawn(picture, kind, largest);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", caption);
  return made("figure", {}, canvas, made("figcaption", { textContent: caption }));
};

// ---- maps ------------------------------------------------------------------------------------------------------------

const maps = [];

function detail(map, k) {
  const { layer, panel } = map, kind = layer.kinds[k];
  const name = made("span", { textContent: `neuron ${named(layer, k)}` });
  const move = (step, text, label) => {
    const button = made("button", { type: "button", textContent: text, onclick: () => choose(map, map.at + step, true) });
    button.setAttribute("aria-label", label);
    return button;
  };
  const rows = made("dl");
  const add = (head, ...inside) => rows.append(made("dt", { textContent: head }), made("dd", {}, ...inside));
  add("verdict", `${STYLE[kind].name} (${kind})`);
  const value = supremum(layer, k);
  if (value) add(layer.exact[k] === "1" ? "supremum" : "bound", layer.exact[k] === "1" ? value : `z ${value}`);
  if (layer.lower[k] !== null) add("below", `z ≥ ${layer.lower[k]}`);
  const place = where(layer, k);
  if (place) add("place", place);
  add("reason", data.reasons[layer.reason[k]]);
  if (layer.file[k] >= 0) {
    const link = data.files[layer.file[k]];
    add("proof", made("a", { href: link, download: "", textContent: link.split("/").pop() }));
  }
  const pictures = made("div", { className: "pair" });
  const filter = data.filters[layer.filter[k]], point = data.points[layer.point[k]];
  if (filter) pictures.append(decoded(filter, "weights", 120, `incoming weights; white is ${filter.largest}`));
  if (point && point.pixels) pictures.append(decoded(point, "point", 120, `a witness: here z > 0`));
  else if (point) add("witness", `z > 0 at (${point.join(", ")}), rounded`);
  panel.classList.add("on");
  panel.replaceChildren(
    made("h3", {}, name, move(-1, "‹", "the neuron before"), move(1, "›", "the next neuron")), rows, pictures);
}

function choose(map, k, pinned) {
  if (k < 0 || k >= map.layer.kinds.length) return;
  map.at = k;
  if (pinned) map.pinned = k;
  detail(map, k);
  mark(map);
}

function mark(map) {
  const { layout, over } = map, pen = canvasOf(over, layout.width + 4, layout.height + 4);
  if (map.at < 0) return;
  const [x, y] = layout.spot(map.at), size = Math.max(layout.size, 5);
  pen.lineWidth = 4;
  pen.strokeStyle = "#ffffff";
  pen.strokeRect(x + 1, y + 1, size + 1, size + 1);
  pen.lineWidth = 2;
  pen.strokeStyle = "#d0021b";
  pen.strokeRect(x + 1, y + 1, size + 1, size + 1);
}

function draw(map) {
  const { layer, canvas } = map, width = Math.max(200, map.frame.clientWidth - 4);
  map.layout = arranged(layer, width);
  const pen = canvasOf(canvas, map.layout.width + 4, map.layout.height + 4);
  for (let k = 0; k < layer.kinds.length; k++) {
    const [x, y] = map.layout.spot(k);
    pen.globalAlpha = map.shown[k] ? 1 : 0.12;
    cell(pen, layer.kinds[k], x + 2, y + 2, map.layout.size);
  }
  mark(map);
}

function keys(map, event) {
  const { layout, layer } = map, last = layer.kinds.length - 1, at = Math.max(map.at, 0);
  const steps = {
    ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - layout.row, ArrowDown: at + layout.row, Home: 0, End: last,
    PageUp: Math.max(0, at - 10 * layout.row), PageDown: Math.min(last, at + 10 * layout.row),
  };
  if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  choose(map, map.at < 0 ? 0 : steps[event.key], true);
}

function mapped(layer) {
  const counts = Object.keys(STYLE).map((kind) => [layer.kinds.split(kind).length - 1, STYLE[kind].name]);
  const said = counts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`).join(", ");
  const canvas = made("canvas", { className: "map", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "map of neurons");
  canvas.setAttribute("aria-label", `layer ${layer.layer}: ${said}. The arrow keys go from neuron to neuron.`);
  const over = made("canvas", { className: "over" });
  over.setAttribute("aria-hidden", "true");
  Object.assign(over.style, { position: "absolute", left: 0, top: 0, pointerEvents: "none" });
  const frame = made("div", {}, canvas, over);
  frame.style.position = "relative";
  const panel = made("div", { className: "detail" },
    made("p", { className: "sub", textContent: "Point at a neuron, or go to the map by Tab and use the arrow keys." }));
  panel.setAttribute("role", "status");
  const shape = layer.shape.length > 1 ? ` (${layer.shape.join(" × ")})` : "";
  const left = made("div", {}, frame);
  const section = made("section", { className: "layer", id: `layer-${layer.layer}` },
    made("h2", { textContent: `Layer ${layer.layer}` }),
    made("p", { className: "sub", textContent:
      `${layer.width} neurons${shape}${layer.relu === "ReLU" ? "" : ` (${layer.relu})`}${layer.name ? ` named ${layer.name}` : ""}: ${said}` }),
    made("div", { className: "two" }, left, panel));
  const map = { layer, canvas, over, frame, panel, at: -1, pinned: -1, shown: new Uint8Array(layer.kinds.length).fill(1) };
  const point = (event, pinned) => {
    const box = canvas.getBoundingClientRect();
    const k = map.layout.hit(event.clientX - box.left - 2, event.clientY - box.top - 2);
    if (k >= 0 && (pinned || k !== map.at)) choose(map, k, pinned);
  };
  canvas.addEventListener("pointermove", (event) => point(event, false));
  canvas.addEventListener("click", (event) => point(event, true));
  canvas.addEventListener("pointerleave", () => { if (map.pinned >= 0) choose(map, map.pinned, true); });
  canvas.addEventListener("focus", () => { if (map.at < 0) choose(map, 0, true); });
  canvas.addEventListener("keydown", (event) => keys(map, event));
  left.append(histogram(layer));
  one("#maps").append(section);
  return map;
}

// ---- the histogram ---------------------------------------------------------------------------------------------------

const ROUGH = (value) => String(Number(value.toPrecision(3)));

function histogram(layer) {
  const values = layer.upper.filter((v) => v !== null), exact = [...layer.exact].filter((x) => x === "1").length;
  if (!values.length) return made("p", { className: "sub", textContent: "No supremum or bound is known." });
  const low = Math.min(0, values.reduce((a, b) => Math.min(a, b))), high = Math.max(0, values.reduce((a, b) => Math.max(a, b)));
  const wide = high - low || 1, left = low < 0 ? Math.max(1, Math.round(24 * -low / wide)) : 0;
  const right = high > 0 ? Math.max(1, Math.round(24 * high / wide)) : 0;
  const bins = new Array(left + right + (left + right ? 0 : 1)).fill(0);
  for (const v of values) {
    if (v <= 0 && left) bins[Math.min(left - 1, Math.floor(left * (v - low) / -low))]++;
    else bins[Math.min(bins.length - 1, left + Math.floor(right * v / (high || 1)))]++;
  }
  const W = 520, H = 110, step = (W - 20) / bins.length, top = Math.max(...bins);
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  const draw = (name, what, text = "") => {
    const element = document.createElementNS(space, name);
    for (const key in what) element.setAttribute(key, what[key]);
    element.textContent = text;
    svg.append(element);
    return element;
  };
  const id = `hatch-${layer.layer}`;
  svg.setAttribute("viewBox", `0 0 ${W} ${H + 34}`);
  svg.setAttribute("class", "histogram");
  svg.setAttribute("role", "img");
  const open = layer.upper.length - values.length, silent = values.filter((v) => v <= 0).length;
  const title = `suprema and bounds of z: ${silent} at or below 0, ${values.length - silent} above; ` +
    `from ${ROUGH(low)} to ${ROUGH(high)}; ${exact} exact` +
    (open ? `, ${open} unbounded or unknown` : "");
  svg.setAttribute("aria-label", title);
  draw("defs", {}).innerHTML = `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#4a6ea9"/><path d="M0 6L6 0" stroke="#fff"/></pattern>`;
  bins.forEach((count, j) => {
    if (!count) return;
    const tall = Math.max(2, 90 * count / top);
    const bar = draw("rect", { x: 10 + j * step, y: H - tall, width: Math.max(1, step - 1), height: tall,
      class: j < left ? "minus" : "plus", ...(j < left ? { fill: `url(#${id})` } : {}) });
    const tip = document.createElementNS(space, "title");
    tip.textContent = `${count}`;
    bar.append(tip);
  });
  const zero = 10 + left * step;
  draw("path", { d: `M10 ${H}H${W - 10}M${zero} 14V${H + 5}`, class: "axis", fill: "none" });
  draw("text", { x: zero, y: H + 17, "text-anchor": "middle" }, "0");
  if (left && zero > 60) draw("text", { x: 10, y: H + 17 }, ROUGH(low));
  if (right && zero < W - 60) draw("text", { x: W - 10, y: H + 17, "text-anchor": "end" }, ROUGH(high));
  draw("text", { x: 10, y: H + 31 }, `suprema and bounds of z (${exact} exact${open ? `, ${open} not known` : ""}); hatched: silent`);
  draw("text", { x: 10, y: 12 }, `${top} neuron${top === 1 ? "" : "s"}`);
  return svg;
}

// ---- filter, search, list -----------------------------------------------------------------------------------------------

const PAGE = 100;
let matches = [], listed = 0;

function sought(text) {
  const words = text.trim().toLowerCase().split(/\s+(?!\d)/).filter(Boolean);
  const tests = words.map((word) => {
    const pair = word.match(/^(\d+)[:.](\d+)$/), layer = word.match(/^l(?:ayer)?\s*(\d+)$/), plain = word.match(/^\d+$/);
    if (pair) return (l, k) => l.layer === +pair[1] && number(l, k) === +pair[2];
    if (layer) return (l) => l.layer === +layer[1];
    if (plain) return (l, k) => number(l, k) === +word;
    return (l, k) => STYLE[l.kinds[k]].name.includes(word) || data.reasons[l.reason[k]].toLowerCase().includes(word);
  });
  return (l, k) => tests.every((test) => test(l, k));
}

function refresh() {
  const wanted = new Set([...document.querySelectorAll("input[name=kind]:checked")].map((box) => box.value));
  const fits = sought(one("#words").value);
  matches = [];
  let total = 0;
  for (const map of maps) {
    for (let k = 0; k < map.shown.length; k++) {
      map.shown[k] = wanted.has(map.layer.kinds[k]) && fits(map.layer, k) ? 1 : 0;
      if (map.shown[k]) matches.push([map, k]);
    }
    total += map.shown.length;
    draw(map);
  }
  const order = "STD?AL"; // what is dead comes first
  matches.sort((a, b) => order.indexOf(a[0].layer.kinds[a[1]]) - order.indexOf(b[0].layer.kinds[b[1]]));
  one("#count").textContent = `${matches.length} of ${total} neurons`;
  one("#rows tbody").replaceChildren();
  listed = 0;
  more();
}

function more() {
  for (const [map, k] of matches.slice(listed, listed + PAGE)) {
    const { layer } = map, link = data.files[layer.file[k]];
    const go = made("button", { type: "button", className: "plain", textContent: named(layer, k), onclick: () => {
      choose(map, k, true);
      map.canvas.focus({ preventScroll: true });
      map.frame.scrollIntoView({ block: "nearest" });
    } });
    one("#rows tbody").append(made("tr", {}, made("td", {}, go),
      made("td", { textContent: STYLE[layer.kinds[k]].name }), made("td", { textContent: supremum(layer, k) }),
      made("td", { textContent: data.reasons[layer.reason[k]] }),
      made("td", {}, link ? made("a", { href: link, download: "", textContent: "file" }) : "")));
  }
  listed = Math.min(matches.length, listed + PAGE);
  one("#more").hidden = listed >= matches.length;
  one("#more").textContent = `${Math.min(PAGE, matches.length - listed)} more of ${matches.length - listed}`;
}

// ---- all of it --------------------------------------------------------------------------------------------------------------

const FIRST = 24; // pictures that are drawn without being asked for

function listOf(names) {
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

// The pictures that neurons of some kinds own, each with a caption.
function gallery(box, pictures, owned, kind, kinds, caption) {
  const owners = new Map();
  for (const { layer } of maps) layer[owned].forEach((at, k) => {
    if (pictures[at] && pictures[at].pixels && kinds.includes(layer.kinds[k])) {
      owners.set(at, [...(owners.get(at) || []), named(layer, k)]);
    }
  });
  box.closest("section").hidden = !owners.size;
  const rest = [...owners].map(([at, names]) => () => box.append(decoded(pictures[at], kind, 110, caption(pictures[at], names))));
  rest.splice(0, FIRST).forEach((show) => show());
  if (!rest.length) return;
  const button = made("button", { type: "button", textContent: `all ${owners.size}`, onclick: () => {
    rest.forEach((show) => show());
    button.remove();
  } });
  box.after(button);
}

if (data.killed) {
  one("#killed").hidden = false;
  one("#killed").textContent = `Layer ${data.killed} is dead as a whole.`;
}
for (const layer of data.layers) maps.push(mapped(layer));
gallery(one("#filters"), data.filters, "filter", "weights", "SDT", (picture, names) => `${listOf(names)} (${picture.largest})`);
gallery(one("#points"), data.points, "point", "point", "LA", (_, names) => listOf(names));
one("#scale").textContent = data.range ? `black is ${ROUGH(data.range[0])}, white ${ROUGH(data.range[1])}.` : "black is the least value, white the largest.";
if (data.omitted) one("#filters").after(made("p", { className: "sub", textContent: `${data.omitted} pictures have no room on this page.` }));
one("#filter").hidden = one("#list").hidden = false;
one("#filter").addEventListener("input", refresh);
one("#filter").addEventListener("submit", (event) => event.preventDefault());
one("#filter").addEventListener("reset", () => setTimeout(refresh));
one("#more").addEventListener("click", more);
refresh();
let waiting = 0;
window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => maps.forEach(draw), 100); });
