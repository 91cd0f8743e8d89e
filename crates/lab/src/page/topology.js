// The picture: cards for what exists, and curves between them for where packets go.
//
//   internet        consumer VPCs            provider VPCs
//   client ┐        zone a  endpoint ──────▶ node ──▶ appliance
//          igw ───▶         application                appliance
//
// Cards are made anew only when something came or went; numbers and states are put into the cards that stand.

import { amount, el, put, short, svg } from "/draw.js";
import { edgesOf } from "/edges.js";

export class Topology {
  // `filterBy` is called with the words that find a card's flows.
  constructor(root, filterBy) {
    this.root = root;
    this.filterBy = filterBy;
    this.wires = svg("svg", { class: "wires", "aria-hidden": "true" });
    this.columns = el("div", { class: "columns" });
    root.append(this.columns, this.wires);
    this.path = null;
    new ResizeObserver(() => this.place()).observe(this.columns);
  }

  show(reading) {
    const { places } = reading;
    const plan = JSON.stringify([
      places.consumers, places.providers, places.subnets, places.tables, places.gateways, places.balancers,
      places.instances.map((i) => [i.id, i.interface, i.name]), places.endpoints.map((e) => [e.id, e.interface]),
      reading.settings.internet, places.endpoints.map((e) => e.state),
    ]);
    this.reading = reading;
    if (plan !== this.plan) {
      this.plan = plan;
      this.build();
    }
    this.update();
    this.place();
  }

  // Shows `path` (see hops.js) and dims all else; null ends that.
  follow(path) {
    this.path = path;
    this.root.classList.toggle("following", path !== null);
    for (const [key, card] of this.cards ?? []) card.classList.toggle("on", Boolean(path?.cards.has(key)));
    this.place();
  }

  build() {
    const { places } = this.reading;
    this.cards = new Map();
    const nothing = (text) => el("p", { class: "empty" }, text);
    const column = (kind, title, vpcs, none) => el("div", { class: `column ${kind}` },
      vpcs.length ? vpcs.map((vpc) => this.vpc(vpc, title)) : nothing(none));
    this.columns.replaceChildren(
      this.internet(),
      column("consumer", "consumer VPC", places.consumers, "no VPC yet"),
      column("provider", "provider VPC", places.providers, "no load balancer and no appliances yet"),
    );
    this.follow(this.path);
  }

  internet() {
    const { settings, places } = this.reading;
    const client = this.card("client", "device client", "client", [
      el("span", { class: "address" }, settings.internet.client_ipv4),
      el("span", { class: "address" }, settings.internet.client_ipv6),
      el("span", { class: "rate" }),
    ]);
    const gateways = places.gateways.map((gateway) => {
      const card = el("section", { class: "card gateway", "data-key": gateway.id },
        el("h3", {}, el("span", {}, "internet gateway"), el("code", { title: gateway.id }, short(gateway.id))));
      this.cards.set(gateway.id, card);
      const mapped = places.instances.filter((i) => i.interface.public_ipv4 && places.vpcOf(i) === gateway.attachment?.vpc);
      if (mapped.length) {
        card.append(el("table", { class: "routes nat" }, el("caption", {}, "addresses, 1:1"), el("tbody", {}, mapped.map((i) =>
          el("tr", {}, el("td", {}, i.interface.public_ipv4), el("td", { class: "to" }, `⇄ ${i.interface.ipv4}`))))));
      }
      const table = places.tableOfGateway(gateway);
      if (table) card.append(routes(table, places));
      return card;
    });
    return el("div", { class: "column outside" },
      el("section", { class: "vpc internet" }, el("h2", {}, "internet"), client), gateways);
  }

  vpc(vpc, title) {
    const { places } = this.reading;
    const own = places.subnets.filter((s) => s.vpc === vpc.id);
    const zones = [...new Set(own.map((s) => s.zone))].sort();
    const head = el("h2", {}, title, " ", el("b", {}, vpc.name), el("code", { title: vpc.id }, short(vpc.id)),
      el("span", { class: "nets" }, [...vpc.ipv4, ...vpc.ipv6].join("  ")));
    const balancers = places.balancers.filter((b) => b.vpc === vpc.id).map((b) =>
      el("p", { class: "balancer" }, "load balancer ", el("b", {}, b.name),
        ` ${b.dualstack ? "dualstack" : "ipv4"}${b.cross_zone ? ", cross-zone" : ""}`));
    return el("section", { class: "vpc", "data-key": vpc.id, "data-vpc": vpc.name }, head, balancers, zones.map((zone) =>
      el("section", { class: "zone" }, el("h3", {}, zone),
        el("div", { class: "subnets" }, this.inOrder(own.filter((s) => s.zone === zone)).map((s) => this.subnet(s))))));
  }

  // What packets meet first stands first: endpoints before applications, nodes before appliances.
  inOrder(subnets) {
    const { places } = this.reading;
    const first = (s) => places.endpoints.some((e) => e.interface?.subnet === s.id)
      || places.balancers.some((b) => b.nodes.some((n) => n.interface.subnet === s.id));
    const last = (s) => places.instances.some((i) => i.interface.subnet === s.id);
    const rank = (s) => (first(s) ? 0 : last(s) ? 2 : 1);
    return [...subnets].sort((a, b) => rank(a) - rank(b));
  }

  subnet(subnet) {
    const { places } = this.reading;
    const endpoints = places.endpoints.filter((e) => e.interface?.subnet === subnet.id).map((e) =>
      this.card(e.id, "device endpoint", short(e.id), [
        el("span", { class: "address" }, `endpoint, ${e.state.toLowerCase()}`), el("span", { class: "rate" }),
      ], e.id));
    const nodes = places.balancers.flatMap((b) => b.nodes).filter((n) => n.interface.subnet === subnet.id).map((n) =>
      this.card(n.interface.ipv4, "device node", `node ${n.interface.ipv4}`, [
        el("span", { class: "counts" }), el("span", { class: "reasons" }),
      ], n.interface.ipv4));
    const instances = places.instances.filter((i) => i.interface.subnet === subnet.id).map((i) =>
      this.card(i.id, `device ${i.role.toLowerCase()}`, i.name, [
        el("span", { class: "health" }), el("span", { class: "address" }, i.interface.ipv4), el("span", { class: "rate" }),
      ], i.name));
    const table = places.tableOfSubnet(subnet);
    return el("section", { class: "card subnet", "data-key": subnet.id },
      el("h4", {}, el("span", {}, subnet.ipv4), el("code", { title: subnet.id }, `…${subnet.id.slice(-5)}`)),
      el("div", { class: "devices" }, endpoints, nodes, instances), table && routes(table, places));
  }

  // A card that finds its flows when pressed.
  card(key, kind, name, rest, words = name) {
    const card = el("button", {
      type: "button", class: kind, "data-key": key, title: `flows of ${words}`, onclick: () => this.filterBy(words),
    }, el("b", {}, name), rest);
    this.cards.set(key, card);
    return card;
  }

  update() {
    const { reading } = this;
    for (const [key, card] of this.cards) {
      const rate = card.querySelector(":scope > .rate");
      const seen = reading.rates.get(key);
      if (rate) put(rate, seen ? `${seen.flows} flow${seen.flows === 1 ? "" : "s"} · ${amount(seen.packets)} pkt/s` : "idle");
    }
    for (const instance of reading.places.instances) this.health(instance);
    for (const node of reading.nodes) this.node(node);
  }

  health(instance) {
    const card = this.cards.get(instance.id);
    const at = card?.querySelector(".health");
    if (!at) return;
    const word = instance.role === "Appliance" ? this.reading.places.health(instance) : instance.state.toLowerCase();
    put(at, word);
    card.dataset.health = word.split(" ")[0];
  }

  node(node) {
    const card = this.cards.get(node.address);
    if (!card) return;
    const counts = card.querySelector(".counts");
    const shown = [
      ["sent", amount(node.sent), `${amount(node.sentRate)}/s`],
      ["returned", amount(node.returned), `${amount(node.returnedRate)}/s`],
      ["flows", amount(node.flowCount), `${amount(node.counters["flows-begun"])} begun`],
      ["mismatches", amount(node.mismatches), node.mismatches ? "look below" : "none"],
    ];
    if (!counts.childElementCount) {
      counts.append(...shown.map(([label]) => el("span", {},
        el("span", { class: "name" }, label), el("span", { class: "value" }), el("span", { class: "value" }))));
    }
    shown.forEach(([name, value, more], at) => {
      const row = counts.children[at];
      put(row.children[1], value);
      put(row.children[2], more);
      row.className = name === "mismatches" && node.mismatches ? "bad" : "";
    });
    const reasons = card.querySelector(".reasons");
    const text = node.reasons.map((r) => `${r.name} ${r.count}`).join(" · ") || "nothing fell";
    put(reasons, text);
    reasons.classList.toggle("bad", node.reasons.some((r) => r.bad));
  }

  place() {
    if (!this.reading) return;
    const frame = this.root.getBoundingClientRect();
    const [left, top] = [frame.left - this.root.scrollLeft, frame.top - this.root.scrollTop];
    const box = (key) => {
      const at = this.cards.get(key)?.getBoundingClientRect();
      return at && { left: at.left - left, right: at.right - left, top: at.top - top, bottom: at.bottom - top };
    };
    const size = [this.columns.scrollWidth, this.columns.scrollHeight];
    this.wires.setAttribute("width", size[0]);
    this.wires.setAttribute("height", size[1]);
    const edges = edgesOf(this.reading, box);
    const standing = new Map([...this.wires.children].map((g) => [g.dataset.edge, g]));
    for (const edge of edges) {
      let group = standing.get(edge.key);
      if (!group) {
        group = svg("g", {}, svg("path", { class: "wire" }), svg("path", { class: "flow" }));
        group.dataset.edge = edge.key;
        this.wires.append(group);
      }
      standing.delete(edge.key);
      for (const path of group.children) if (path.getAttribute("d") !== edge.curve) path.setAttribute("d", edge.curve);
      const pace = edge.rate > 200 ? "fast" : edge.rate > 10 ? "steady" : edge.rate > 0 ? "slow" : "still";
      const kind = `${edge.kind} ${pace}${this.path?.edges.has(edge.key) ? " on" : ""}`;
      if (group.getAttribute("class") !== kind) group.setAttribute("class", kind);
    }
    for (const gone of standing.values()) gone.remove();
  }
}

// A route table: destinations of one target share a row.
function routes(table, places) {
  const rows = new Map();
  for (const route of table.routes) {
    const [kind, id] = route.target === "Local" ? ["local", "local"] : Object.entries(route.target)[0];
    const row = rows.get(id) ?? { kind, id, nets: [] };
    row.nets.push(route.destination);
    rows.set(id, row);
  }
  const dead = ({ kind, id }) => (kind === "Endpoint" && places.state.endpoints[id]?.state !== "Available")
    || (kind === "InternetGateway" && places.state.internet_gateways[id]?.attachment?.vpc !== table.vpc);
  const name = table.tags.Name || (table.associations.some((a) => a.point === "Main") ? "main" : "");
  // A table that leads nowhere else needs no rows.
  const inside = [...rows.keys()].every((id) => id === "local");
  if (inside) rows.clear();
  return el("table", { class: "routes", "data-key": table.id },
    el("caption", { title: table.id }, "routes ", el("b", {}, name), inside ? "local only" : el("code", {}, short(table.id))),
    el("tbody", {}, [...rows.values()].map((row) =>
      el("tr", { class: `${row.kind.toLowerCase()}${dead(row) ? " dead" : ""}` },
        el("td", {}, row.nets.map((net) => el("span", { class: "net" }, net))),
        el("td", { class: "to", title: row.id }, `→ ${short(row.id)}${dead(row) ? " (blackhole)" : ""}`)))));
}
