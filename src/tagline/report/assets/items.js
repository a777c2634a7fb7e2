// How one item of the data is shown. Text reaches the page through text nodes only, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);

const KINDS = {
  boundary: ["wrong boundary", "↔"], type: ["wrong type", "≠"], both: ["wrong boundary and type", "⇹"],
  missed: ["missed", "−"], invented: ["invented", "+"], wrong: ["wrong label", "≠"],
  swapped: ["missed and invented", "⇄"], high: ["too high", "↑"], low: ["too low", "↓"],
  confident: ["model is sure", "!"], inconsistent: ["gold disagrees with itself", "?"],
};
const NONE = "none";
const CONTEXT = 30; // words shown before and behind what an item is about

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

const typeName = (number) => (number < 0 ? NONE : data.types[number]);
const count = (number) => number.toLocaleString("en");
const score = (value) => (value === null ? "" : value.toFixed(3));

function spansOf(flat) {
  const found = [];
  for (let at = 0; at < flat.length; at += 3) found.push({ type: flat[at], start: flat[at + 1], end: flat[at + 2] });
  return found;
}

const gapBefore = (text, place) => (text[1] ? text[1][place] : place ? " " : "");

function wordsOf(text, span) {
  let said = "";
  for (let at = span[1]; at < span[2]; at++) said += (at > span[1] ? gapBefore(text, at) : "") + text[0][at];
  return said;
}

// ---- entities: item = [text, kind, gold | 0, predicted | 0, score, line, votes]; span = [type, start, end]
// text = [words, gaps | 0, gold spans, predicted spans, number]; above the words the model, below them gold.
function sentence(text, item, whole) {
  const [words, , goldFlat, modelFlat] = text;
  const sides = { m: spansOf(modelFlat), g: spansOf(goldFlat) };
  const hot = [item[2], item[3]].filter(Boolean);
  const first = whole ? 0 : Math.max(0, Math.min(...hot.map((span) => span[1])) - CONTEXT);
  const last = whole ? words.length : Math.min(words.length, Math.max(...hot.map((span) => span[2])) + CONTEXT);
  const at = { m: new Array(words.length), g: new Array(words.length) };
  for (const side of ["m", "g"])
    for (const span of sides[side]) for (let place = span.start; place < span.end; place++) at[side][place] = span;
  const isHot = (span) => hot.some((each) => span && span.start < each[2] && each[1] < span.end);
  const line = element("p", { class: "sentence", dir: "auto" });
  if (first > 0) line.append(element("span", { class: "cut" }, "… "));
  for (let place = first; place < last; place++) {
    const classes = ["m", "g"].filter((side) => at[side][place]);
    const gap = place > first || first > 0 ? gapBefore(text, place) : "";
    const joined = classes.filter((side) => place > first && at[side][place - 1] === at[side][place]);
    if (gap) line.append(joined.length ? element("span", { class: mark(joined, place, at, isHot) }, gap) : gap);
    if (!classes.length) { line.append(words[place]); continue; }
    const word = element("span", { class: mark(classes, place, at, isHot) }, words[place]);
    for (const side of classes) {
      const span = at[side][place];
      const begins = place === span.start || place === first;
      if (place === span.end - 1) word.classList.add(`${side}-end`);
      if (!begins) continue;
      word.classList.add(`${side}-start`);
      const name = typeName(span.type);
      word.append(element("span", { class: `tag ${side}-tag`, "data-name": name }));
      if (wordsOf(text, [0, span.start, span.end]).length < name.length)
        word.style.minWidth = `${(name.length * 0.62).toFixed(1)}em`;
    }
    line.append(word);
  }
  if (last < words.length) line.append(element("span", { class: "cut" }, " …"));
  return line;
}

function mark(sides, place, at, isHot) {
  const classes = ["w", ...sides];
  for (const side of sides) if (isHot(at[side][place])) classes.push(`${side}-hot`);
  return classes.join(" ");
}

function quoted(text, span) {
  return [element("b", {}, typeName(span[0])), " “", element("q", {}, wordsOf(text, span)), "”"];
}

function said(text, item) {
  const [, kind, gold, model, , , votes] = item;
  const there = gold || model;
  if (kind === "inconsistent") {
    const list = Object.entries(votes).map(([name, often]) => `${name} ${count(often)}`).join(", ");
    const words = element("q", {}, wordsOf(text, there));
    const here = gold ? element("b", {}, typeName(gold[0])) : "no entity";
    return ["Gold says ", here, " of “", words, "”; in all its places: ", list];
  }
  const left = gold ? ["Gold ", ...quoted(text, gold)] : ["Gold has nothing"];
  const right = model ? ["model ", ...quoted(text, model)] : ["the model nothing"];
  return [...left, ", ", ...right];
}

const entities = {
  types: (item) => [item[2] ? typeName(item[2][0]) : NONE, item[3] ? typeName(item[3][0]) : NONE].map((name) => [name]),
  sure: (item) => item[4],
  search: (text) => text[0].map((word, at) => gapBefore(text, at) + word).join(""),
  place: (item, text) => [`sentence ${count(text[4])}`, item[5] ? `line ${count(item[5])}` : ""],
  body(item, text) {
    const box = element("div", { class: "body" });
    const draw = (whole) => {
      box.replaceChildren(element("p", { class: "said" }, said(text, item)), sentence(text, item, whole));
      const shown = box.querySelectorAll(".cut").length;
      if (shown) box.append(element("button", { type: "button", class: "small", onclick: () => draw(true) },
        `whole sentence, ${count(text[0].length)} words`));
    };
    draw(false);
    return box;
  },
  record: (item, text) => ({
    kind: item[1], sentence: text[4], line: item[5], text: entities.search(text), score: item[4],
    gold: item[2] ? { label: typeName(item[2][0]), text: wordsOf(text, item[2]) } : null,
    predicted: item[3] ? { label: typeName(item[3][0]), text: wordsOf(text, item[3]) } : null,
    ...(item[6] && Object.keys(item[6]).length ? { votes: item[6] } : {}),
  }),
};

// ---- labels: item = [text, kind, score, other labels]; text = [text, pair | 0, gold, given, scores, number, line]
function chips(title, numbers, style, others) {
  const labels = numbers.map((number) => element("span", {
    class: `chip ${style}${others && !others.includes(number) ? " alone" : ""}` }, typeName(number)));
  return element("p", { class: "chips" }, element("span", { class: "who" }, title),
    labels.length ? labels : element("span", { class: "chip empty" }, "no label"));
}

function bars(text) {
  return element("div", { class: "bars" }, text[4].map(([label, value]) => element("div", { class: "bar-row" },
    element("span", { class: "bar-name" }, typeName(label)),
    element("span", { class: "bar-line", "aria-hidden": "true" },
      element("i", { style: `width:${(value * 100).toFixed(1)}%` })),
    element("span", { class: "number" }, value.toFixed(3)),
    element("span", { class: "bar-who" }, [text[2].includes(label) ? "gold" : "", text[3].includes(label) ? "model" : ""]
      .filter(Boolean).join(", ")))));
}

const labels = {
  types: (item, text) => [text[2], text[3]].map((side) => (side.length ? side.map(typeName) : [NONE])),
  sure: (item) => item[2],
  search: (text) => (text[1] ? `${text[0]} ${text[1]}` : text[0]),
  place: (item, text) => [`text ${count(text[5])}`, text[6] ? `line ${count(text[6])}` : ""],
  body: (item, text) => element("div", { class: "body" },
    element("p", { class: "running", dir: "auto" }, text[0] || element("em", {}, "empty text")),
    text[1] ? element("p", { class: "running pair", dir: "auto" }, text[1]) : null,
    element("div", { class: "sides" }, chips("gold", text[2], "gold", text[3]), chips("model", text[3], "model", text[2]),
      item[1] === "inconsistent" ? chips("elsewhere", item[3], "gold") : null),
    text[4].length ? bars(text) : null),
  record: (item, text) => ({
    kind: item[1], number: text[5], line: text[6], text: text[0], ...(text[1] ? { text_pair: text[1] } : {}),
    gold: text[2].map(typeName), predicted: text[3].map(typeName), score: item[2],
  }),
};

// ---- numbers: item = [text, kind]; text = [text, pair | 0, gold, predicted, number, line]
const numbers = {
  types: () => [[], []],
  sure: (item) => Math.abs(data.texts[item[0]][3] - data.texts[item[0]][2]),
  search: labels.search,
  place: (item, text) => [`text ${count(text[4])}`, text[5] ? `line ${count(text[5])}` : ""],
  body: (item, text) => element("div", { class: "body" },
    element("p", { class: "running", dir: "auto" }, text[0] || element("em", {}, "empty text")),
    text[1] ? element("p", { class: "running pair", dir: "auto" }, text[1]) : null,
    element("p", { class: "said" }, "Gold ", element("b", {}, String(text[2])), ", model ", element("b", {}, String(text[3])),
      `: ${text[3] > text[2] ? "+" : "−"}${Math.abs(text[3] - text[2]).toFixed(3)}`)),
  record: (item, text) => ({ number: text[4], line: text[5], text: text[0], gold: text[2], predicted: text[3] }),
};

// ---- compare: item = [text, outcome]; data.names are those of the models
// of words: text = [words, gold, tags of each model, number, line]
// of texts: text = [text, pair | 0, gold, labels of each model, number, line]
function wordTable(text) {
  const [words, gold, sides] = text;
  const near = words.map((_, at) => sides.some((tags) => tags[at] !== sides[0][at]));
  const shown = words.map((_, at) => near.slice(Math.max(0, at - 3), at + 4).some(Boolean));
  const rows = [];
  let hidden = 0;
  const rest = () => {
    if (hidden) rows.push(element("tr", { class: "rest" }, element("td", { colspan: sides.length + 2 },
      `… ${count(hidden)} words that are tagged alike`)));
    hidden = 0;
  };
  words.forEach((word, at) => {
    if (!shown[at]) { hidden++; return; }
    rest();
    rows.push(element("tr", near[at] ? { class: "differs" } : {}, element("th", { scope: "row", dir: "auto" }, word),
      element("td", {}, gold[at]), sides.map((tags) => element("td",
        { class: tags[at] === gold[at] ? "ok" : "no" }, tags[at] === gold[at] ? tags[at] : `✗ ${tags[at]}`))));
  });
  rest();
  const heads = ["word", "gold", ...data.names].map((name) => element("th", { scope: "col" }, name));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "words and tags" },
    element("table", { class: "tags" }, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows)));
}

const compared = {
  types: () => [[], []],
  sure: null,
  search: (text) => (data.words ? text[0].join(" ") : labels.search(text)),
  place: (item, text) => {
    const at = data.words ? 3 : 4;
    return [`${data.words ? "sentence" : "text"} ${count(text[at])}`, text[at + 1] ? `line ${count(text[at + 1])}` : ""];
  },
  body: (item, text) => (data.words
    ? element("div", { class: "body" }, element("p", { class: "running", dir: "auto" }, text[0].join(" ")), wordTable(text))
    : element("div", { class: "body" }, element("p", { class: "running", dir: "auto" }, text[0]),
      text[1] ? element("p", { class: "running pair", dir: "auto" }, text[1]) : null,
      element("div", { class: "sides" }, chips("gold", text[2], "gold"),
        text[3].map((side, at) => chips(data.names[at], side, "model", text[2]))))),
  record: (item, text) => (data.words
    ? { outcome: item[1], sentence: text[3], line: text[4], words: text[0], gold: text[1],
      ...Object.fromEntries(data.names.map((name, at) => [name, text[2][at]])) }
    : { outcome: item[1], number: text[4], line: text[5], text: text[0], gold: text[2].map(typeName),
      ...Object.fromEntries(data.names.map((name, at) => [name, text[3][at].map(typeName)])) }),
};

const view = { entities, labels, numbers, compare: compared }[data.task];
