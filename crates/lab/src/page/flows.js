// The list of flows with its filter, and the chosen flow hop by hop. The choice stands in the address, as #flow=node/cookie.

import { age, amount, el, put } from "/draw.js";
import { describe, wayOf } from "/hops.js";

export class Flows {
  // `onFollow` is given the way of the chosen flow, or null.
  constructor(list, following, onFollow) {
    this.list = list.querySelector("ul");
    this.count = list.querySelector("#flow-count");
    this.filter = list.querySelector("input");
    this.hops = following.querySelector("#hops");
    this.leave = following.querySelector("#leave");
    this.onFollow = onFollow;
    this.rows = new Map();
    this.filter.addEventListener("input", () => this.draw());
    this.leave.addEventListener("click", () => this.choose(null));
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("li")?.dataset.key ?? this.chosen));
    this.list.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => this.shortcut(event));
    window.addEventListener("hashchange", () => this.fromAddress());
    this.fromAddress();
    this.drawHops();
  }

  show(reading) {
    this.reading = reading;
    const found = reading.flowByKey.get(this.chosen);
    if (found) this.kept = found;
    this.over = Boolean(this.chosen) && !found;
    this.draw();
    this.drawHops();
  }

  filterBy(words) {
    this.filter.value = this.filter.value === words ? "" : words;
    this.draw();
  }

  choose(key) {
    const hash = key ? `#flow=${key}` : "";
    if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname);
    this.fromAddress();
  }

  fromAddress() {
    this.chosen = location.hash.startsWith("#flow=") ? decodeURIComponent(location.hash.slice(6)) : null;
    this.kept = this.reading?.flowByKey.get(this.chosen) ?? null;
    this.over = Boolean(this.reading && this.chosen && !this.kept);
    this.draw();
    this.drawHops();
  }

  shortcut(event) {
    if (event.key === "Escape") {
      if (document.activeElement === this.filter && this.filter.value) {
        this.filter.value = "";
        this.draw();
      } else this.choose(null);
    } else if (event.key === "/" && document.activeElement !== this.filter) {
      event.preventDefault();
      this.filter.select();
    }
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const rows = [...this.list.children].filter((row) => row.dataset.key);
    const at = rows.findIndex((row) => row.dataset.key === this.chosen);
    const to = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
    this.choose(rows[to]?.dataset.key ?? null);
    rows[to]?.scrollIntoView({ block: "nearest" });
  }

  draw() {
    if (!this.reading) return;
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.reading.flows
      .filter((flow) => words.every((word) => flow.words.includes(word)))
      .sort((a, b) => a.flow.age - b.flow.age);
    const all = this.reading.totals.flows;
    put(this.count, shown.length === all ? `${all}` : `${shown.length} of ${all}`);
    const gone = new Set(this.rows.keys());
    shown.forEach((flow, n) => {
      gone.delete(flow.key);
      const row = this.row(flow);
      if (this.list.children[n] !== row) this.list.insertBefore(row, this.list.children[n] ?? null);
    });
    for (const key of gone) {
      this.rows.get(key).remove();
      this.rows.delete(key);
    }
    this.list.dataset.empty = shown.length ? "" : words.length ? "no flow has all these words" : "no flows; gwlb-lab traffic sends some";
    const active = this.rows.get(this.chosen);
    if (active) this.list.setAttribute("aria-activedescendant", active.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  row(flow) {
    let row = this.rows.get(flow.key);
    if (!row) {
      row = el("li", { role: "option", id: `flow-${flow.key}`, "data-key": flow.key },
        el("span", { class: "protocol" }), el("span", { class: "ends" }), el("span", { class: "target" }),
        el("span", { class: "number" }), el("span", { class: "number age" }));
      this.rows.set(flow.key, row);
    }
    const [protocol, ends, target, rate, old] = row.children;
    const one = ({ name, port }) => (port ? `${name}:${port}` : name);
    put(protocol, flow.protocol);
    put(ends, flow.ends.map(one).join(" ↔ "));
    if (ends.title === "") ends.title = flow.ends.map((e) => `${e.address} ${e.port || ""}`).join(" ↔ ");
    put(target, flow.targetName);
    put(rate, flow.flow.closed ? "closed" : `${amount(flow.packetRate)}/s`);
    put(old, age(flow.flow.age));
    row.classList.toggle("closed", flow.flow.closed);
    const chosen = flow.key === this.chosen;
    if (row.getAttribute("aria-selected") !== String(chosen)) row.setAttribute("aria-selected", chosen);
    return row;
  }

  drawHops() {
    this.leave.hidden = !this.chosen;
    if (!this.kept || !this.reading) {
      const text = this.chosen && this.reading ? "That flow has ended." : "Choose a flow: click it, or press Tab and the arrow keys.";
      this.hops.replaceChildren(el("p", { class: "empty" }, text));
      this.steps = null;
      this.onFollow(null);
      return;
    }
    const way = wayOf(this.kept, this.reading);
    const head = `${describe(this.kept)}${this.over ? "; ended" : ""}`;
    const shape = `${this.kept.key} ${way.hops.map((hop) => `${hop.key} ${(hop.facts ?? []).length}`)}`;
    if (this.steps?.shape !== shape) {
      const title = el("p", { class: "which" });
      this.steps = { shape, title, items: way.hops.map(step) };
      this.hops.replaceChildren(title, el("ol", {}, this.steps.items.map((item) => item.root)));
    }
    put(this.steps.title, head);
    way.hops.forEach((hop, n) => this.steps.items[n].show(hop));
    this.onFollow(way);
  }
}

// One hop's element, and how to put a hop into it.
function step() {
  const [name, note, facts] = [el("b"), el("p"), el("dl")];
  const root = el("li", {}, name, facts, note);
  const show = (hop) => {
    if (root.className !== `hop ${hop.kind}`) root.className = `hop ${hop.kind}`;
    root.dataset.health = hop.health ?? "";
    put(name, hop.name);
    put(note, hop.note ?? "");
    const wanted = hop.facts ?? [];
    while (facts.childElementCount < wanted.length) facts.append(el("div", {}, el("dt"), el("dd")));
    wanted.forEach(([term, value], n) => {
      put(facts.children[n].children[0], term);
      put(facts.children[n].children[1], String(value));
    });
  };
  return { root, show };
}
