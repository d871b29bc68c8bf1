"use strict";
// Draws the charts again, as src/report/page/chart.rs has drawn them, when the axis, the scale or the arms shown are changed,
// and says the numbers behind a point.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SIDE = 1000, HEIGHT = 230, LABEL = 15, LETTERS = 36;
  const hidden = new Set();
  let axis = 0;

  // Texts

  const escape = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
  const minus = text => text.replace(/-/g, "−");
  const ink = arm => `a${arm % 7} d${Math.floor(arm / 7) % 4}`;
  const key = arm => `<svg class="key" aria-hidden="true"><path class="line ${ink(arm)}" d="M0 5h22"/></svg>`;

  function number(value) {
    const size = Math.abs(value);
    if (value === null || value === undefined) return "–";
    if (size === 0) return "0";
    if (size >= 1e4) return minus(Math.round(value).toLocaleString("en-US"));
    if (size < 1e-4) return minus(value.toExponential(2));
    return minus(value.toFixed(Math.min(Math.max(3 - Math.floor(Math.log10(size)), 0), 7)));
  }

  // Scales: src/report/figure/axis.rs

  function roundStep(atLeast) {
    const power = 10 ** Math.floor(Math.log10(atLeast));
    return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= atLeast * 0.999) ?? power * 10;
  }

  function scale(values, [from, to], padding, log) {
    let low = Infinity, high = -Infinity;
    for (const given of values) {
      if (given === null || given === undefined || (log && given <= 0)) continue;
      const value = log ? Math.log10(given) : given;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const width = high - low;
    if (width > 0) [low, high] = [low - padding * width, high + padding * width];
    else if (Number.isFinite(low) && low !== 0) [low, high] = [low - 0.5 * Math.abs(low), high + 0.5 * Math.abs(high)];
    else if (Number.isFinite(low)) [low, high] = [-0.5, 0.5];
    else [low, high] = [0, 1];
    let step = roundStep((high - low) / 6);
    if (log) step = Math.round(Math.max(step, 1));
    const at = value => {
      const on = log ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value;
      return from + (Math.min(Math.max(on, low), high) - low) / (high - low) * (to - from);
    };
    let ticks = [], fine = 0;
    if (log && high - low < 2) {
      for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
        for (const factor of [1, 2, 5]) {
          const tick = factor * 10 ** power;
          if (Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9) ticks.push(tick);
        }
      }
    } else for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(log ? 10 ** (i * step) : i * step);
    for (let parts = 4; log && ticks.length < 2 && parts <= 16; parts *= 2) {
      const [least, most] = [10 ** low, 10 ** high];
      fine = roundStep((most - least) / parts);
      ticks = [];
      for (let i = Math.ceil(least / fine - 1e-9); i * fine <= most + fine * 1e-9; i++) ticks.push(i * fine);
    }
    const text = tick => {
      if (log) {
        const finest = fine || tick;
        if (tick < 1e-7 || tick >= 1e7) return minus(tick.toExponential(Math.max(Math.floor(Math.log10(tick)) - Math.floor(Math.log10(finest)), 0)));
        return tick.toFixed(Math.min(Math.max(-Math.floor(Math.log10(finest) + 1e-9), 0), 12));
      }
      if (tick === 0) return "0";
      const largest = Math.max(Math.abs(low), Math.abs(high));
      if (largest < 1e-3 || largest >= 1e10) return minus(tick.toExponential(Math.max(Math.floor(Math.log10(Math.abs(tick))) - Math.floor(Math.log10(step)), 0)));
      const [unit, suffix] = largest < 2e4 ? [1, ""] : Math.abs(tick) >= 1e6 * (1 - 1e-9) ? [1e6, "M"] : [1e3, "k"];
      const decimals = Math.min(Math.max(-Math.floor(Math.log10(step / unit)), 0), 8);
      const digits = (tick / unit).toFixed(decimals);
      return minus(suffix && decimals ? digits.replace(/\.?0+$/, "") : digits) + suffix;
    };
    return { at, ticks, text };
  }

  // Ticks whose texts fit side by side.
  function few({ ticks, text }) {
    const letters = ticks.reduce((sum, tick) => sum + text(tick).length + 1, 0);
    return letters > LETTERS ? ticks.filter((_, i) => i % 2 === 0) : ticks;
  }

  // Charts

  const column = (chart, arm) => data.charts[chart].s.find(series => series.a === arm);

  // What a chart shows: lines of points, and how they are read.
  function model(element) {
    if (element.dataset.chart !== undefined) {
      const chart = data.charts[element.dataset.chart];
      const lines = chart.s.map(s => ({ arm: s.a, x: data.x[s.a][axis].slice(s.f), y: s.y, l: s.l, h: s.h }));
      const turns = axis === 0 ? data.turns : undefined;
      return { lines, log: chart.log, marks: chart.marks, turns, range: chart.range, x: data.axes[axis], zero: true, named: true };
    }
    if (element.dataset.pair !== undefined) {
      const pair = data.pairs[element.dataset.pair];
      const [loss, judged] = [column(pair.x, pair.a), column(pair.y, pair.a)];
      const first = Math.max(loss.f, judged.f);
      const line = { arm: pair.a, x: loss.y.slice(first - loss.f), y: judged.y.slice(first - judged.f), at: data.x[pair.a][0].slice(first) };
      const [least, most] = [Math.min(...line.x), Math.max(...line.x)];
      return { lines: [line], pair: data.charts[pair.y].name, logX: least > 0 && most > 20 * least };
    }
    const profile = data.profiles[element.dataset.profile];
    const lines = profile.s.map(s => ({ arm: s.a, x: profile.x, y: s.y, l: s.l, h: s.h }));
    return { lines, x: profile.name, range: [0, 1] };
  }

  function view(element) {
    const shown = model(element);
    const every = shown.lines;
    shown.lines = shown.lines.filter(line => shown.pair || !hidden.has(line.arm));
    const of = shown.lines.length ? shown.lines : every;
    const ys = of.flatMap(line => (line.l ? [...line.l, ...line.h] : line.y));
    shown.xs = scale([...of.flatMap(line => line.x), ...(shown.zero ? [0] : [])], [0, SIDE], 0, shown.logX);
    shown.ys = scale(shown.range ?? [...ys, ...(shown.marks ?? []).map(([at]) => at)], [SIDE, 0], 0.04, shown.log);
    return shown;
  }

  function steps(points) {
    let out = "", before = null;
    for (const [x, y] of points) {
      const to = [Math.round(x), Math.round(y)];
      if (!before) out = `M${to[0]} ${to[1]}`;
      else if (to[0] === before[0] && to[1] === before[1]) continue;
      else out += `l${to[0] - before[0]} ${to[1] - before[1]}`;
      before = to;
    }
    return out;
  }

  function ends(lines, ys) {
    const all = lines.map(line => ({ arm: line.arm, top: ys.at(line.y[line.y.length - 1]) / SIDE * HEIGHT }));
    if (all.length < 2 || all.length * LABEL > HEIGHT) return "";
    all.sort((a, b) => a.top - b.top);
    let free = LABEL / 2, limit = HEIGHT - LABEL / 2;
    for (const end of all) { end.top = Math.max(end.top, free); free = end.top + LABEL; }
    for (const end of all.toReversed()) { end.top = Math.min(end.top, limit); limit = end.top - LABEL; }
    const spans = all.map(end => `<span class="a${end.arm % 7}" style="top:${Math.round(end.top)}px">${escape(data.arms[end.arm])}</span>`);
    return `<div class="ends" aria-hidden="true">${spans.join("")}</div>`;
  }

  function draw(element) {
    const { lines, xs, ys, marks, turns, named, pair, x } = view(element);
    const share = at => (at / SIDE * 100).toFixed(1).replace(/\.0$/, "");
    const yTicks = ys.ticks.map(tick => [ys.at(tick), ys.text(tick)]);
    let paths = `<path class="grid" d="${yTicks.map(([at]) => `M0 ${at.toFixed(0)}h${SIDE}`).join("")}"/>`;
    for (const [at, kind] of marks ?? []) paths += `<path class="${kind}" d="M0 ${ys.at(at).toFixed(0)}h${SIDE}"/>`;
    for (const [arm, at] of turns ?? []) {
      if (lines.some(line => line.arm === arm)) paths += `<path class="turn ${ink(arm)}" d="M${xs.at(at).toFixed(0)} 0v${SIDE}"/>`;
    }
    for (const line of lines) {
      if (!line.l || line.x.length < 2) continue;
      const edge = values => values.map((value, i) => [xs.at(line.x[i]), ys.at(value)]);
      paths += `<path class="band ${ink(line.arm)}" d="${steps([...edge(line.h), ...edge(line.l).reverse()])}z"/>`;
    }
    for (const line of lines) {
      const d = steps(line.y.map((value, i) => [xs.at(line.x[i]), ys.at(value)]));
      paths += `<path class="line ${ink(line.arm)}" data-arm="${line.arm}" d="${d}${line.y.length === 1 ? "h0" : ""}"/>`;
    }
    if (pair) {
      for (const { arm, x, y } of lines) paths += `<path class="line dot ${ink(arm)}" d="M${xs.at(x.at(-1)).toFixed(0)} ${ys.at(y.at(-1)).toFixed(0)}h0"/>`;
    }
    const labels = named ? ends(lines, ys) : "";
    element.classList.toggle("named", labels !== "");
    element.style.setProperty("--gutter", `${Math.max(1, ...yTicks.map(([, text]) => text.length))}ch`);
    element.querySelector(".y").innerHTML = yTicks.map(([at, text]) => `<span style="top:${share(at)}%">${text}</span>`).join("");
    element.querySelector(".x").innerHTML = few(xs).map(tick => `<span style="left:${share(xs.at(tick))}%">${xs.text(tick)}</span>`).join("");
    element.querySelector(".area").innerHTML = `<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">${paths}</svg>${labels}`;
    const name = element.parentElement.querySelector(".axis");
    if (name && element.dataset.chart !== undefined) name.textContent = x;
  }

  // The numbers behind a point

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  const cursor = document.createElement("div");
  cursor.className = "cursor";

  function nearest(values, to) {
    let best = 0;
    values.forEach((value, i) => { if (Math.abs(value - to) < Math.abs(values[best] - to)) best = i; });
    return best;
  }

  // Shows what lies at `share` (0 to 1) of the width; of a pair, the point nearest to `height` as well.
  function point(element, share, height) {
    const shown = view(element);
    const longest = shown.lines.reduce((a, b) => (a && a.x.length >= b.x.length ? a : b), null);
    if (!longest) return hide();
    let index, text;
    if (shown.pair) {
      const away = longest.x.map((x, i) => Math.hypot(shown.xs.at(x) / SIDE - share, height === undefined ? 0 : shown.ys.at(longest.y[i]) / SIDE - height));
      index = nearest(away, 0);
      text = `<b>${number(longest.at[index])} examples</b><div><span>training loss</span><span>${number(longest.x[index])}</span></div>` +
        `<div><span>${escape(shown.pair)}</span><span>${number(longest.y[index])}</span></div>`;
    } else {
      index = nearest(longest.x.map(x => shown.xs.at(x) / SIDE), share);
      const rows = shown.lines.map(line => ({ line, i: nearest(line.x, longest.x[index]) }));
      rows.sort((a, b) => b.line.y[b.i] - a.line.y[a.i]);
      const row = ({ line, i }) => {
        const band = line.l ? ` [${number(line.l[i])}, ${number(line.h[i])}]` : "";
        return `<div>${key(line.arm)}<span>${escape(data.arms[line.arm])}</span><span>${number(line.y[i])}${band}</span></div>`;
      };
      text = `<b>${number(longest.x[index])} ${escape(shown.x)}</b>${rows.map(row).join("")}`;
    }
    element.dataset.index = index;
    const area = element.querySelector(".area");
    const left = shown.xs.at(longest.x[index]) / SIDE;
    cursor.style.left = `${left * 100}%`;
    area.append(cursor);
    tip.innerHTML = text;
    element.append(tip);
    const room = element.clientWidth, at = area.offsetLeft + left * area.clientWidth;
    const beside = at + 12 + tip.offsetWidth <= room ? at + 12 : at - 12 - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(beside, room - tip.offsetWidth))}px`;
  }

  function hide() {
    tip.remove();
    cursor.remove();
  }

  function listen(element) {
    const follow = event => {
      const box = element.querySelector(".area").getBoundingClientRect();
      point(element, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    };
    element.addEventListener("pointermove", follow);
    element.addEventListener("pointerdown", follow);
    element.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") hide(); });
    element.addEventListener("blur", hide);
    element.addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Escape") hide();
      if (by === undefined) return;
      event.preventDefault();
      const shown = view(element);
      const longest = shown.lines.reduce((a, b) => (a && a.x.length >= b.x.length ? a : b), null);
      if (!longest) return;
      const before = tip.parentElement === element ? Number(element.dataset.index) : by > 0 ? -1 : longest.x.length;
      const index = Math.min(Math.max(before + by, 0), longest.x.length - 1);
      const height = shown.pair ? shown.ys.at(longest.y[index]) / SIDE : undefined;
      point(element, shown.xs.at(longest.x[index]) / SIDE, height);
    });
  }

  // Controls

  const charts = [...document.querySelectorAll(".chart")];
  const buttons = [...document.querySelectorAll(".legend button")];
  const all = document.getElementById("all");

  function redraw() {
    hide();
    charts.forEach(draw);
    for (const button of buttons) button.setAttribute("aria-pressed", !hidden.has(Number(button.dataset.arm)));
    for (const part of document.querySelectorAll("[data-of]")) part.hidden = hidden.has(Number(part.dataset.of));
    if (all) all.hidden = hidden.size === 0;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const arm = Number(button.dataset.arm);
      if (!hidden.delete(arm)) hidden.add(arm);
      redraw();
    });
  }
  all?.addEventListener("click", () => { hidden.clear(); redraw(); });
  for (const radio of document.querySelectorAll("input[name=axis]")) {
    radio.addEventListener("change", () => { axis = Number(radio.value); redraw(); });
    // A browser may remember what was chosen before the page was loaded again.
    if (radio.checked) axis = Number(radio.value);
  }
  for (const button of document.querySelectorAll(".log")) {
    const element = button.closest("figure").querySelector(".chart");
    const chart = data.charts[element.dataset.chart];
    const positive = chart.s.every(series => (series.l ?? series.y).every(value => value > 0));
    button.hidden = !positive && !chart.log;
    button.addEventListener("click", () => {
      chart.log = !chart.log;
      button.setAttribute("aria-pressed", chart.log);
      hide();
      draw(element);
    });
  }

  for (const head of document.querySelectorAll(".answer thead th")) {
    head.addEventListener("click", () => {
      const column = [...head.parentElement.children].indexOf(head);
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = head.closest("table").tBodies[0];
      const value = row => {
        const given = row.children[column].dataset.value;
        return given === undefined || given === "NaN" ? null : given === "inf" ? Infinity : Number(given);
      };
      // What an arm does not have stands last, whichever way.
      const order = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === null || y === null) return (x === null) - (y === null);
        return x === y ? 0 : (x < y ? -1 : 1) * (up ? 1 : -1);
      };
      body.append(...[...body.rows].sort(order));
    });
  }

  const theme = document.getElementById("theme");
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = dark() ? "light" : "dark"; };
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  const closed = new Set();
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) { closed.add(details); details.open = true; }
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; closed.clear(); });

  document.documentElement.classList.add("js");
  if (axis !== 0) redraw();
  charts.forEach(listen);
})();
