"use strict";
// Sorts the leaderboard, sets two pipelines side by side, filters images, draws the map of features.
// Everything comes from the JSON in this page; nothing is loaded.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PAGE = 60; // images shown at a time
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  function make(tag, attributes = {}, ...children) {
    const element = tag.startsWith("svg:")
      ? document.createElementNS(SVG, tag.slice(4))
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
  const times = (count) => (count === 1 ? "once" : `${count} times`);
  const signed = (points) => `${points < 0 ? "\u2212" : "+"}${Math.abs(points).toFixed(1)}`;
  const short = (text, most) =>
    text.length <= most ? text : `${text.slice(0, (most - 1) >> 1)}…${text.slice(text.length - (most - 1 - ((most - 1) >> 1)))}`;

  // The leaderboard: headings are buttons; failed pipelines stay below.

  function sortable(table) {
    const body = table.tBodies[0];
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const heading = button.closest("th");
      const up = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", up ? "descending" : "ascending");
      const key = (row) => {
        const text = row.cells[heading.cellIndex].dataset.value;
        return button.dataset.kind === "number" ? (text === "inf" ? Infinity : Number(text)) : text;
      };
      const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
      const rows = [...body.rows].map((row, place) => [key(row), place, row]);
      rows.sort((a, b) => (up ? -1 : 1) * order(a[0], b[0]) || a[1] - b[1]);
      body.append(...rows.map((entry) => entry[2]));
    });
  }

  // The table of pairs: one stop for the tabulator key, arrows go from cell to cell.

  function walkable(table) {
    const at = (row, column) => table.rows[row]?.cells[column]?.querySelector("button");
    const cells = [...table.querySelectorAll("button.cell")];
    cells.forEach((cell, place) => { cell.tabIndex = place ? -1 : 0; });
    table.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      const cell = event.target.closest("td");
      if (!step || !cell) return;
      event.preventDefault();
      let [row, column] = [cell.parentElement.rowIndex + step[0], cell.cellIndex + step[1]];
      if (!at(row, column)) [row, column] = [row + step[0], column + step[1]]; // over the empty diagonal
      const next = at(row, column);
      if (!next) return;
      cells.forEach((other) => { other.tabIndex = -1; });
      next.tabIndex = 0;
      next.focus();
    });
  }

  // Thumbnails are parts of one picture, which the style sheet holds.

  const columns = Number(document.body.dataset.columns);
  const lines = Number(document.body.dataset.rows);

  function thumb(number, text, tag = "span") {
    const at = (place, count) => (count > 1 ? (100 * place) / (count - 1) : 0);
    const style = `background-position:${at(number % columns, columns)}% ${at(Math.floor(number / columns), lines)}%`;
    return make(tag, { class: "thumb", style, role: "img", "aria-label": text });
  }

  // Two pipelines side by side.

  const pick = { a: byId("pick-a"), b: byId("pick-b") };

  function pairOf(a, b) {
    const pair = data.pairs[`${Math.min(a, b)} ${Math.max(a, b)}`];
    return a < b ? pair : turned(pair);
  }

  function turned(pair) {
    const flip = (text) => text.replace(/[+\u2212]/g, (sign) => (sign === "+" ? "\u2212" : "+"));
    const ranged = (text) => flip(text).split(" to ").reverse().join(" to ");
    const value = { A: null, B: null };
    for (const [name, text] of pair.facts) {
      if (name.startsWith("Probability that A")) value.A = text;
      if (name === "… that B is better") value.B = text;
    }
    const facts = pair.facts.map(([name, text]) => {
      if (name.startsWith("Probability that A")) return [name, value.B];
      if (name === "… that B is better") return [name, value.A];
      if (name.startsWith("95 %")) return [name, ranged(text)];
      return name === "Difference" || name.startsWith("Effect") ? [name, flip(text)] : [name, text];
    });
    return { ...pair, facts, difference: -pair.difference, only: [...pair.only].reverse() };
  }

  function showPair() {
    const [a, b] = [Number(pick.a.value), Number(pick.b.value)];
    const same = a === b;
    const pair = same ? null : pairOf(a, b);
    byId("verdict").textContent = same ? "Choose two different pipelines." : verdict(pair, data.names[a], data.names[b]);
    byId("tests").replaceChildren(
      ...(same ? [] : pair.facts).map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))),
    );
    showClasses(a, b);
    byId("confusions").replaceChildren(...[...new Set([a, b])].map((which) => confusion(which, which === a ? "A" : "B")));
    showSpecs(a, b);
    limit = PAGE;
    showImages();
  }

  function verdict(pair, a, b) {
    const by = Math.abs(100 * pair.difference).toFixed(1);
    if (!pair.real) return `${a} and ${b} cannot be told apart here (${signed(100 * pair.difference)} points, ${pair.p}).`;
    const [better, worse] = pair.difference > 0 ? [a, b] : [b, a];
    return `${better} is better than ${worse} by ${by} points (${pair.p}).`;
  }

  function showClasses(a, b) {
    const rows = data.classes
      .map((name, c) => ({ name, a: data.recall[a][c], b: data.recall[b][c], of: data.support[c] }))
      .sort((x, y) => x.a - x.b - (y.a - y.b) || (x.name < y.name ? -1 : 1));
    const widest = Math.max(0.01, ...rows.map((row) => Math.abs(row.a - row.b)));
    const body = byId("classes-table").tBodies[0];
    body.replaceChildren(...rows.map((row) => {
      const by = row.a - row.b;
      const bar = make("svg:svg", { viewBox: "-100 0 200 12", preserveAspectRatio: "none", class: "bar", role: "img",
        "aria-label": `${signed(100 * by)} points` },
        make("svg:rect", { class: "track", x: -100, width: 200, height: 12 }),
        make("svg:rect", { class: by < 0 ? "value other" : "value", x: Math.min(0, (100 * by) / widest), width: Math.abs((100 * by) / widest), height: 12 }),
        make("svg:line", { class: "zero", x1: 0, x2: 0, y1: 0, y2: 12 }));
      return make("tr", {}, make("th", { scope: "row" }, row.name),
        make("td", { class: "wide" }, make("span", { class: "by" }, signed(100 * by)), bar),
        make("td", { class: "n" }, percent(row.a, 0)), make("td", { class: "n" }, percent(row.b, 0)));
    }));
    byId("classes-note").textContent = `Recall of A minus recall of B in each class, in points; classes in which B finds more of its images come first.`;
    byId("classes-head").textContent = `Recall: ◂ B finds more · A finds more ▸`;
  }

  function confusion(which, letter) {
    const names = data.drawn.map((c) => data.classes[c]);
    const cell = Math.max(6, Math.min(44, Math.floor(420 / names.length)));
    const font = Math.min(12, Math.max(7, cell - 2));
    const label = Math.min(16, Math.max(...names.map((name) => name.length)));
    const left = Math.ceil(label * font * 0.6) + 8;
    const size = cell * names.length;
    const svg = make("svg:svg", { class: "confusion", viewBox: `0 0 ${left + size + 2} ${left + size + 2}`,
      "font-size": font, role: "img", "aria-label": describe(which, letter) });
    svg.append(make("svg:rect", { class: "empty", x: left, y: left, width: size, height: size }));
    names.forEach((name, i) => {
      const at = left + i * cell + cell / 2;
      svg.append(make("svg:text", { x: left - 4, y: at, dy: ".35em", "text-anchor": "end" }, short(name, label)));
      svg.append(make("svg:text", { transform: `translate(${at} ${left - 4}) rotate(-90)`, dy: ".35em" }, short(name, label)));
    });
    const cells = data.confusion[which];
    for (let k = 0; k < cells.length; k += 3) {
      const [row, column, count] = cells.slice(k, k + 3);
      const share = count / Math.max(1, data.totals[which][row]);
      const level = Math.max(1, Math.ceil(9 * Math.sqrt(share) - 1e-9));
      const what = row === column ? `${names[row]}: right` : `${names[row]} taken for ${names[column]}`;
      svg.append(make("svg:rect", { class: `${row === column ? "y" : "x"} l${level}`, x: left + column * cell, y: left + row * cell,
        width: cell, height: cell }, make("svg:title", {}, `${what}, ${count} of ${data.totals[which][row]} (${percent(share)})`)));
      if (cell >= 22) {
        const text = share < 0.005 ? "<1" : (100 * share).toFixed(0);
        svg.append(make("svg:text", { class: level > 6 ? "strong" : "weak", x: left + (column + 0.5) * cell, y: left + (row + 0.5) * cell,
          dy: ".35em", "font-size": Math.round(cell * 0.4) }, text));
      }
    }
    const mesh = names.map((_, i) => `M${left} ${left + i * cell}h${size}M${left + i * cell} ${left}v${size}`).join("");
    svg.append(make("svg:path", { class: "mesh", d: mesh }));
    return make("figure", {}, make("figcaption", {}, make("b", {}, letter), ` ${data.names[which]}`), svg);
  }

  function describe(which, letter) {
    const names = data.drawn.map((c) => data.classes[c]);
    const cells = data.confusion[which];
    const wrong = [];
    for (let k = 0; k < cells.length; k += 3) {
      if (cells[k] !== cells[k + 1]) wrong.push([cells[k + 2], names[cells[k]], names[cells[k + 1]]]);
    }
    wrong.sort((x, y) => y[0] - x[0]);
    const most = wrong.slice(0, 3).map(([count, truth, taken]) => `${truth} taken for ${taken} ${times(count)}`);
    return `Confusion matrix of ${letter}, ${data.names[which]}. Most often wrong: ${most.join("; ") || "nothing"}.`;
  }

  // The longest common lines of two specs stay, all others are marked.

  function showSpecs(a, b) {
    const out = byId("spec-diff");
    const lines = difference(data.specs[a], data.specs[b]);
    const changed = lines.filter(([sign]) => sign !== " ");
    const head = [["-", `A ${data.names[a]}`], ["+", `B ${data.names[b]}`]];
    const shown = changed.length ? changed : [[" ", "nothing: the same options everywhere"]];
    out.replaceChildren(...[...head, ...shown].map(([sign, text], place) =>
      make("span", { class: { "-": "gone", "+": "come", " ": "" }[sign] + (place < 2 ? " head" : "") }, `${place < 2 ? sign.repeat(3) : sign} ${text}\n`)));
  }

  function difference(first, second) {
    const longest = Array.from({ length: first.length + 1 }, () => new Array(second.length + 1).fill(0));
    for (let i = first.length - 1; i >= 0; i--) {
      for (let j = second.length - 1; j >= 0; j--) {
        longest[i][j] = first[i] === second[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
      }
    }
    const lines = [];
    let [i, j] = [0, 0];
    while (i < first.length || j < second.length) {
      if (i < first.length && j < second.length && first[i] === second[j]) {
        lines.push([" ", first[i++], j++]);
      } else if (j >= second.length || (i < first.length && longest[i + 1][j] >= longest[i][j + 1])) {
        lines.push(["-", first[i++]]);
      } else {
        lines.push(["+", second[j++]]);
      }
    }
    return lines;
  }

  // Images on which the two disagree.

  let limit = PAGE;
  const filter = { kind: byId("kind"), label: byId("class") };

  function disagreements(a, b) {
    return data.answers.filter((answer) => {
      const [right, other] = [answer.p[a] === answer.t, answer.p[b] === answer.t];
      const fits = { all: true, a: right && !other, b: other && !right, none: !right && !other }[filter.kind.value];
      return answer.p[a] !== answer.p[b] && fits && (filter.label.value === "" || answer.t === Number(filter.label.value));
    });
  }

  function showImages() {
    if (!filter.kind) return;
    const [a, b] = [Number(pick.a.value), Number(pick.b.value)];
    const found = disagreements(a, b);
    byId("gallery").replaceChildren(...found.slice(0, limit).map((answer) => card(answer, a, b)));
    byId("more").hidden = found.length <= limit;
    const only = a === b ? [0, 0] : pairOf(a, b).only;
    byId("shown").textContent = `${Math.min(limit, found.length)} of ${found.length} pictures. In all answers only A is right ${times(only[0])}, only B ${times(only[1])}.`;
  }

  function card(answer, a, b) {
    const said = (letter, which) => {
      const right = answer.p[which] === answer.t;
      const score = answer.s[which] === null ? "" : ` ${answer.s[which]}`.replace("-", "\u2212");
      return make("span", { class: right ? "right" : "wrong" }, make("span", { class: "mark" }, `${letter} ${right ? "✓" : "✗"}\u00a0${name(answer.p[which])}`),
        make("span", { class: "muted" }, score));
    };
    const truth = name(answer.t);
    const picture = answer.i < 0 ? make("span", { class: "thumb none", role: "img", "aria-label": `${answer.id}: no picture` }, "no picture")
      : thumb(answer.i, `Image ${answer.id}, ${truth}`);
    return make("li", {}, make("figure", {}, picture, make("figcaption", {}, make("b", {}, truth), said("A", a), said("B", b),
      make("span", { class: "muted id", title: answer.id }, answer.id.split("/").pop()))));
  }

  const name = (number) => (number < 0 ? "another class" : data.classes[number]);

  // The map of features.

  const map = { of: byId("map-of"), how: byId("map-how"), label: byId("map-class"), thumbs: byId("map-thumbs") };

  function showMap() {
    const chosen = data.maps[Number(map.of.value)];
    const wanted = map.label.value === "" ? null : Number(map.label.value);
    const places = chosen[map.how.value];
    const order = places.map((_, i) => i).sort((x, y) => (chosen.t[x] === wanted) - (chosen.t[y] === wanted));
    byId("map").replaceChildren(...order.map((i) => {
      const text = `${name(chosen.t[i])}: ${chosen.ids[i]}`;
      const dot = map.thumbs.checked && chosen.i[i] >= 0 ? thumb(chosen.i[i], text) : make("span", { class: "dot" });
      dot.removeAttribute("role");
      dot.removeAttribute("aria-label");
      dot.title = text;
      dot.classList.add("spot", `s${Math.max(0, chosen.t[i]) % 8}`);
      if (wanted !== null) dot.classList.add(chosen.t[i] === wanted ? "on" : "off");
      dot.style.left = `${100 * places[i][0]}%`;
      dot.style.top = `${100 * (1 - places[i][1])}%`;
      return dot;
    }));
    const how = map.how.value === "tsne" ? "t-SNE" : "PCA";
    byId("map").setAttribute("aria-label", `${how} map of ${places.length} images by the features of ${chosen.name}. The nearest other image is of the same class for ${chosen.purity}.`);
    byId("map-note").textContent = `${places.length} test images by the features of ${chosen.name}; the nearest other image is of the same class for ${chosen.purity}. Point at an image for its name${wanted === null ? "; choose a class to set it off" : ""}. Frames repeat eight colours over the classes.`;
  }

  // Wiring.

  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll("table.matrix").forEach(walkable);
  if (pick.a) {
    for (const control of [pick.a, pick.b]) control.addEventListener("change", showPair);
    byId("swap").addEventListener("click", () => {
      [pick.a.value, pick.b.value] = [pick.b.value, pick.a.value];
      showPair();
    });
    for (const control of Object.values(filter)) {
      control?.addEventListener("change", () => { limit = PAGE; showImages(); });
    }
    byId("more")?.addEventListener("click", () => { limit += PAGE; showImages(); });
    document.querySelectorAll("button.cell").forEach((cell) => cell.addEventListener("click", () => {
      pick.a.value = data.names.indexOf(cell.dataset.a);
      pick.b.value = data.names.indexOf(cell.dataset.b);
      showPair();
      byId("two").scrollIntoView();
      pick.a.focus({ preventScroll: true });
    }));
    showPair();
  }
  if (map.of) {
    for (const control of Object.values(map)) control.addEventListener("change", showMap);
    showMap();
  }
})();
