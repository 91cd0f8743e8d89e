// What /status tells, as what the page draws: names for ids, places in the topology, rates from two readings.

// What a node counts when an appliance returned something else than it was sent.
const MISMATCHES = [
  "unknown-flow", "cookie-mismatch", "endpoint-mismatch", "inner-mismatch", "udp-port-mismatch", "source-mismatch",
  "returned-malformed", "returned-too-big",
];
// Counted on the way of every packet or flow; all others are reasons why a packet went no further.
const COURSE = ["sent", "returned", "flows-begun", "expired", "fail-open", "rebalanced"];
const PROTOCOLS = { 0: "any", 1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp" };

const bySerial = (a, b) => a.serial - b.serial;
const nameOf = (thing) => thing.tags?.Name ?? "";

// A reading of `told` at `now` (seconds); `before` is the reading before it, or null.
export function read(told, now, before) {
  const state = told.state;
  const span = before ? Math.max(0.05, now - before.now) : 0;
  const places = new Places(state, told.targets);
  const nodes = (told.network?.nodes ?? []).map((node) => readNode(node, span, before));
  const flows = nodes.flatMap((node) => node.flows.map((flow) => readFlow(flow, node, places, span, before)));
  const flowByKey = new Map(flows.map((flow) => [flow.key, flow]));
  return {
    now, state, nodes, flows, flowByKey, places,
    settings: state.settings,
    network: told.network !== null,
    programs: told.network?.programs ?? {},
    rates: rates(flows),
    totals: {
      flows: sum(nodes, (n) => n.flowCount),
      sent: sum(nodes, (n) => n.sent),
      returned: sum(nodes, (n) => n.returned),
      sentRate: sum(nodes, (n) => n.sentRate),
      bitRate: sum(flows, (f) => f.bitRate),
      mismatches: sum(nodes, (n) => n.mismatches),
    },
  };
}

const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

function readNode(node, span, before) {
  const { counters } = node;
  const old = before?.nodes.find((n) => n.address === node.address && n.balancer === node.load_balancer);
  const rate = (name) => (old && span ? Math.max(0, counters[name] - old.counters[name]) / span : 0);
  return {
    address: node.address, zone: node.zone, balancer: node.load_balancer, endpoints: node.endpoints,
    flows: node.flows, flowCount: node.flow_count, counters,
    sent: counters.sent, returned: counters.returned,
    sentRate: rate("sent"), returnedRate: rate("returned"),
    mismatches: MISMATCHES.reduce((total, name) => total + (counters[name] ?? 0), 0),
    reasons: Object.entries(counters)
      .filter(([name, count]) => count > 0 && !COURSE.includes(name))
      .map(([name, count]) => ({ name, count, bad: MISMATCHES.includes(name) })),
  };
}

function readFlow(flow, node, places, span, before) {
  const key = `${node.address}/${flow.cookie}`;
  const old = before?.flowByKey.get(key);
  const young = flow.age <= span + 0.3;
  const grown = (of) => (span && (old || young) ? Math.max(0, of(flow) - (old ? of(old.flow) : 0)) / span : 0);
  const vpc = places.state.endpoints[flow.endpoint]?.vpc;
  let ends = [flow.a, flow.b].map((end) => places.end(end, vpc));
  // The outer end stands first; between equals the one with the higher port, which seldom is the server's.
  if (ends[0].instance && (!ends[1].instance || ends[0].port < ends[1].port)) ends = ends.reverse();
  const protocol = PROTOCOLS[flow.protocol] ?? `ip ${flow.protocol}`;
  const target = places.appliance(flow.target, node);
  return {
    key, flow, node, ends, protocol, target,
    packetRate: grown((f) => f.sent.packets),
    bitRate: 8 * grown((f) => f.sent.bytes),
    targetName: target?.name ?? flow.target,
    words: [
      protocol, flow.cookie, flow.endpoint, flow.target, target?.name, node.zone, node.address, flow.closed ? "closed" : "open",
      ...ends.flatMap((end) => [end.name, end.address, `${end.name}:${end.port}`, `${end.address}:${end.port}`]),
    ].filter(Boolean).join(" ").toLowerCase(),
  };
}

// Packets a second by what they pass.
function rates(flows) {
  const of = new Map();
  const add = (key, flow) => {
    const seen = of.get(key) ?? { packets: 0, flows: 0 };
    of.set(key, { packets: seen.packets + flow.packetRate, flows: seen.flows + 1 });
  };
  for (const flow of flows) {
    if (flow.target) add(flow.target.id, flow);
    add(flow.flow.endpoint, flow);
    add(`${flow.flow.endpoint} outside`, { packetRate: flow.ends.every((e) => e.instance) ? 0 : flow.packetRate });
    for (const end of flow.ends) add(end.instance?.id ?? "client", flow);
  }
  return of;
}

// Finds things of the state by where they are.
class Places {
  constructor(state, targets) {
    this.state = state;
    this.subnets = Object.values(state.subnets).sort(bySerial);
    this.instances = Object.values(state.instances).filter((i) => i.state !== "Terminated").sort(bySerial);
    this.endpoints = Object.values(state.endpoints).sort(bySerial);
    this.tables = Object.values(state.route_tables).sort(bySerial);
    this.gateways = Object.values(state.internet_gateways).sort(bySerial);
    this.balancers = Object.values(state.load_balancers).sort(bySerial);
    this.targets = targets;
    const providers = new Set(this.balancers.map((b) => b.vpc));
    for (const i of this.instances) if (i.role === "Appliance") providers.add(state.subnets[i.interface.subnet]?.vpc);
    const vpcs = Object.values(state.vpcs).sort(bySerial).map((vpc) => ({ ...vpc, name: nameOf(vpc) }));
    this.providers = vpcs.filter((vpc) => providers.has(vpc.id));
    this.consumers = vpcs.filter((vpc) => !providers.has(vpc.id));
  }

  end({ address, port }, vpc) {
    const { internet } = this.state.settings;
    const instance = this.instances.find((i) => this.vpcOf(i) === vpc
      && (i.interface.ipv4 === address || i.interface.ipv6 === address));
    const isClient = address === internet.client_ipv4 || address === internet.client_ipv6;
    const name = instance?.name ?? (isClient ? "client" : "internet");
    return { address, port, instance, name };
  }

  vpcOf(instance) {
    return this.state.subnets[instance.interface.subnet]?.vpc;
  }

  appliance(address, node) {
    const vpc = this.state.load_balancers[node.balancer]?.vpc;
    return this.instances.find((i) => this.vpcOf(i) === vpc && i.interface.ipv4 === address);
  }

  gatewayOf(vpc) {
    return this.gateways.find((g) => g.attachment?.vpc === vpc);
  }

  tableOfSubnet(subnet) {
    const at = (test) => this.tables.find((t) => t.vpc === subnet.vpc && t.associations.some((a) => test(a.point)));
    return at((point) => point.Subnet === subnet.id) ?? at((point) => point === "Main");
  }

  tableOfGateway(gateway) {
    return this.tables.find((t) => t.associations.some((a) => a.point.Gateway === gateway.id));
  }

  // A word for a target's health; several target groups may disagree, then the worst counts.
  health(instance) {
    const all = this.targets.filter((t) => t.id === instance.id || t.id === instance.interface.ipv4);
    if (instance.state !== "Running") return instance.state.toLowerCase();
    if (all.length === 0) return "not a target";
    if (all.some((t) => t.draining)) return "draining";
    const words = all.map((t) => t.health ?? "unused");
    return words.find((w) => w.startsWith("unhealthy")) ?? words.find((w) => w !== "healthy") ?? "healthy";
  }
}
