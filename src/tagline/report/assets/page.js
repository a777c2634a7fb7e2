// The browser of items: filters, search, order and pages. Only the items of one page are in the document.
const PAGE = 25;
const browsers = {};
const lowered = [];

const textOf = (item) => data.texts[item[0]];
const kindName = (kind) => (KINDS[kind] || [kind, "•"])[0];

function searched(item) {
  const row = item[0];
  if (lowered[row] === undefined) lowered[row] = view.search(data.texts[row]).toLowerCase();
  return lowered[row];
}

function card(item) {
  const [kind, sign] = [kindName(item[1]), (KINDS[item[1]] || ["", "•"])[1]];
  const sure = view.sure ? view.sure(item) : null;
  const label = data.task === "numbers" ? "off by" : item[1] === "inconsistent" ? "share" : "score";
  return element("li", { class: "item" },
    element("div", { class: "line" },
      element("span", { class: `badge ${item[1]}` }, element("span", { class: "sign", "aria-hidden": "true" }, sign), kind),
      element("span", { class: "where" }, view.place(item, textOf(item)).filter(Boolean).join(", ")),
      sure === null ? null : element("span", { class: "sure" }, `${label} ${score(sure)}`)),
    view.body(item, textOf(item)));
}

function choice(name, options, onchange) {
  const select = element("select", { onchange: () => onchange(select.value) },
    options.map(([value, shown]) => element("option", { value }, shown)));
  return [element("label", { class: "field" }, element("span", {}, name), select), select];
}

class Browser {
  constructor(box) {
    this.box = box;
    this.name = box.dataset.items;
    this.noun = box.dataset.noun;
    this.items = data.items[this.name];
    this.state = { kinds: new Set(), gold: "", model: "", text: "", order: "file", page: 0 };
    this.list = element("ol", { class: "items" });
    this.status = element("p", { class: "status", role: "status", "aria-live": "polite" });
    this.pagers = [element("div", { class: "pager" }), element("div", { class: "pager" })];
    box.replaceChildren(this.controls(), element("div", { class: "top" }, this.status, this.pagers[0]), this.list,
      this.pagers[1]);
    this.update();
  }

  controls() {
    const counts = new Map();
    for (const item of this.items) counts.set(item[1], (counts.get(item[1]) || 0) + 1);
    const known = [...Object.keys(KINDS).filter((kind) => counts.has(kind)),
      ...[...counts.keys()].filter((kind) => !KINDS[kind]).sort((a, b) => counts.get(b) - counts.get(a))];
    this.chips = known.map((kind) => element("button", {
      type: "button", class: `filter ${kind}`, "data-filter": kind, "aria-pressed": "false",
      onclick: () => this.toggle(kind),
    }, element("span", { class: "sign", "aria-hidden": "true" }, (KINDS[kind] || ["", "•"])[1]), kindName(kind),
    element("span", { class: "count" }, count(counts.get(kind)))));
    const set = (name) => (value) => { this.state[name] = value; this.state.page = 0; this.update(); };
    const types = (side) => {
      const found = new Set();
      for (const item of this.items) for (const type of view.types(item, textOf(item))[side]) found.add(type);
      return [["", "any"], ...[...found].sort((a, b) => (a === NONE) - (b === NONE) || a.localeCompare(b))
        .map((type) => [type, type])];
    };
    const fields = [];
    if (data.types.length && data.task !== "compare") {
      [fields[0], this.gold] = choice("in gold", types(0), set("gold"));
      [fields[1], this.model] = choice(this.name === "doubtful" ? "otherwise" : "by the model", types(1), set("model"));
    }
    if (view.sure) {
      const sure = data.task === "numbers" ? ["largest error first", "smallest error first"]
        : ["highest score first", "lowest score first"];
      const orders = [["file", data.task === "numbers" ? sure[0] : "as in the file"],
        ...(data.task === "numbers" ? [] : [["down", sure[0]]]), ["up", sure[1]]];
      fields.push(choice("order", orders, set("order"))[0]);
    }
    let waiting = 0;
    this.search = element("input", { type: "search", placeholder: "words of the text", autocomplete: "off",
      spellcheck: "false", oninput: () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => set("text")(this.search.value.trim().toLowerCase()), 120);
      } });
    const search = element("label", { class: "field search" }, element("span", {}, "search"), this.search);
    const save = element("button", { type: "button", class: "small save", onclick: () => this.save() }, "Save as JSONL");
    this.clear = element("button", { type: "button", class: "small", onclick: () => this.reset() }, "Show all");
    return element("div", { class: "controls" },
      element("div", { class: "filters", role: "group", "aria-label": "kind" }, this.chips),
      element("div", { class: "fields" }, search, fields, element("span", { class: "buttons" }, this.clear, save)));
  }

  toggle(kind) {
    if (!this.state.kinds.delete(kind)) this.state.kinds.add(kind);
    this.state.page = 0;
    this.update();
  }

  reset(more = {}) {
    Object.assign(this.state, { kinds: new Set(), gold: "", model: "", text: "", page: 0 }, more);
    this.search.value = "";
    if (this.gold) [this.gold.value, this.model.value] = [this.state.gold, this.state.model];
    this.update();
  }

  found() {
    const { kinds, gold, model, text, order } = this.state;
    const chosen = this.items.filter((item) => {
      if (kinds.size && !kinds.has(item[1])) return false;
      if (gold || model) {
        const [left, right] = view.types(item, textOf(item));
        if ((gold && !left.includes(gold)) || (model && !right.includes(model))) return false;
      }
      return !text || searched(item).includes(text);
    });
    if (order === "file") return chosen;
    const way = order === "down" ? -1 : 1;
    return chosen.sort((a, b) => way * ((view.sure(a) ?? -1) - (view.sure(b) ?? -1)));
  }

  update() {
    this.shown = this.found();
    const pages = Math.max(1, Math.ceil(this.shown.length / PAGE));
    this.state.page = Math.min(Math.max(this.state.page, 0), pages - 1);
    const first = this.state.page * PAGE;
    this.list.start = first + 1;
    this.list.replaceChildren(...this.shown.slice(first, first + PAGE).map(card));
    if (!this.shown.length) this.list.append(element("li", { class: "nothing" }, "Nothing fits these filters."));
    const all = this.items.length;
    this.status.textContent = this.shown.length === all ? `${count(all)} ${this.noun}`
      : `${count(this.shown.length)} of ${count(all)} ${this.noun}`;
    this.clear.disabled = this.shown.length === all && !this.state.text;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(this.state.kinds.has(chip.dataset.filter)));
    this.pagers.forEach((pager, place) => this.page(pager, pages, place));
  }

  page(pager, pages, place) {
    pager.hidden = pages === 1;
    const step = (by, sign, name) => element("button", { type: "button", class: "small", "aria-label": name,
      disabled: this.state.page + by < 0 || this.state.page + by >= pages, onclick: () => this.go(by, place) }, sign);
    const at = element("input", { type: "number", min: 1, max: pages, value: this.state.page + 1, "aria-label": "page",
      onchange: () => this.go(Number(at.value) - 1 - this.state.page, place) });
    pager.replaceChildren(step(-1, "←", "page before"), element("label", {}, "page ", at, ` of ${count(pages)}`),
      step(1, "→", "page after"));
  }

  go(by, place = 0) {
    this.state.page += Number.isFinite(by) ? by : 0;
    this.update();
    if (place) this.box.scrollIntoView();
  }

  save() {
    const lines = this.shown.map((item) => JSON.stringify(view.record(item, textOf(item))) + "\n");
    const link = element("a", { href: URL.createObjectURL(new Blob(lines, { type: "application/jsonl" })),
      download: `${this.name}.jsonl` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

for (const box of document.querySelectorAll(".browser")) browsers[box.dataset.items] = new Browser(box);

function show(filters) {
  const browser = browsers.mistakes;
  if (!browser) return;
  browser.reset(filters);
  browser.box.closest("section").scrollIntoView();
  browser.chips.find((chip) => chip.getAttribute("aria-pressed") === "true")?.focus({ preventScroll: true });
}

for (const button of document.querySelectorAll("button[data-gold]"))
  button.addEventListener("click", () => show({ gold: button.dataset.gold, model: button.dataset.predicted }));
for (const button of document.querySelectorAll("button[data-kind]"))
  button.addEventListener("click", () => show({ kinds: new Set([button.dataset.kind]) }));

// "/" goes to the search, arrows turn the page of the browser that is in sight.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, .scroll")) return;
  const inSight = Object.values(browsers).filter((each) => {
    const { top, bottom } = each.box.getBoundingClientRect();
    return top < innerHeight && bottom > 0;
  });
  const browser = inSight[0] || (event.key === "/" ? browsers.mistakes : null);
  if (!browser) return;
  if (event.key === "/") { event.preventDefault(); browser.search.focus(); }
  if (event.key === "ArrowRight") browser.go(1);
  if (event.key === "ArrowLeft") browser.go(-1);
});

const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) {
    for (const link of links.values()) link.removeAttribute("aria-current");
    const link = links.get(entry.target.id);
    if (!link) continue;
    link.setAttribute("aria-current", "true");
    link.parentElement.scrollLeft = link.offsetLeft - 40; // on a phone not all fit
  }
}, { rootMargin: "-20% 0px -70% 0px" });
for (const section of document.querySelectorAll("main section")) watch.observe(section);
