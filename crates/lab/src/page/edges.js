// Where packets go between cards, as curves. A key names the two cards: "from>to".

// The edges of a reading; `box` gives a card's place by its key, or nothing.
export function edgesOf(reading, box) {
  const { places, rates } = reading;
  const edges = [];
  const add = (kind, from, to, rate, curve) => {
    const [a, b] = [box(from), box(to)];
    if (a && b) edges.push({ key: `${from}>${to}`, kind, rate, curve: curve(a, b) });
  };
  const packets = (key) => rates.get(key)?.packets ?? 0;
  for (const gateway of places.gateways) add("internet", "client", gateway.id, packets("client"), down);
  for (const endpoint of places.endpoints.filter((e) => e.interface)) {
    const gateway = places.gatewayOf(endpoint.vpc);
    if (gateway) add("internet", gateway.id, endpoint.id, packets(`${endpoint.id} outside`), across);
    for (const node of reading.nodes.filter((n) => n.endpoints.includes(endpoint.id))) {
      add("link", endpoint.id, node.address, packets(endpoint.id), across);
    }
  }
  // Applications hang on the endpoints their route tables name, or that flows came through.
  for (const instance of places.instances.filter((i) => i.role !== "Appliance")) {
    for (const id of endpointsOf(instance, reading)) add("inside", id, instance.id, packets(instance.id), aside);
  }
  for (const flow of reading.flows.filter((f) => f.target)) {
    const key = `${flow.node.address}>${flow.target.id}`;
    if (!edges.some((e) => e.key === key)) add("geneve", flow.node.address, flow.target.id, packets(flow.target.id), across);
  }
  for (const node of reading.nodes) {
    for (const target of targetsOf(node, reading)) {
      const key = `${node.address}>${target.id}`;
      if (!edges.some((e) => e.key === key)) add("geneve", node.address, target.id, 0, across);
    }
  }
  return edges;
}

function endpointsOf(instance, { places, flows }) {
  const table = places.tableOfSubnet(places.state.subnets[instance.interface.subnet]);
  const routed = (table?.routes ?? []).map((r) => r.target.Endpoint).filter(Boolean);
  const seen = flows.filter((f) => f.ends.some((e) => e.instance === instance)).map((f) => f.flow.endpoint);
  return new Set([...routed, ...seen]);
}

// The appliances a node may choose: those of its zone, of all zones with cross-zone balancing.
function targetsOf(node, { places }) {
  const cross = places.state.load_balancers[node.balancer]?.cross_zone;
  const groups = Object.values(places.state.listeners).filter((l) => l.load_balancer === node.balancer).map((l) => l.target_group);
  const isTarget = (i) => places.targets.some((t) => groups.includes(t.target_group) && [i.id, i.interface.ipv4].includes(t.id));
  const zone = (i) => places.state.subnets[i.interface.subnet]?.zone;
  return places.instances.filter((i) => i.role === "Appliance" && isTarget(i) && (cross || zone(i) === node.zone));
}

const middle = (box) => (box.top + box.bottom) / 2;

function across(a, b) {
  const [y, end] = [middle(a), middle(b)];
  const bend = Math.max(24, (b.left - a.right) / 2);
  return `M ${a.right} ${y} C ${a.right + bend} ${y} ${b.left - bend} ${end} ${b.left} ${end}`;
}

function down(a, b) {
  const [x, end] = [(a.left + a.right) / 2, (b.left + b.right) / 2];
  return `M ${x} ${a.bottom} C ${x} ${a.bottom + 20} ${end} ${b.top - 20} ${end} ${b.top}`;
}

// Beside the cards between the two: out on the right and back.
function aside(a, b) {
  const [y, end] = [middle(a) + 8, middle(b)];
  const out = Math.max(a.right, b.right) + 22;
  return `M ${a.right} ${y} C ${out} ${y} ${out} ${y} ${out} ${y + 22} L ${out} ${end - 22} C ${out} ${end} ${out} ${end} ${b.right} ${end}`;
}
