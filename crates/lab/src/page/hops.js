// A flow's way, hop by hop: what each hop is, and what it does with the flow's packets.

import { age, bytes, short } from "/draw.js";

// The cards and edges that `flow` passes, and its hops: { key, name, kind, facts, note }.
export function wayOf(flow, reading) {
  const { places } = reading;
  const [outer, inner] = flow.ends;
  const endpoint = places.state.endpoints[flow.flow.endpoint];
  const gateway = outer.instance ? null : places.gatewayOf(endpoint?.vpc);
  const hops = [
    end(outer, places),
    gateway && igw(gateway, inner, places),
    { key: flow.flow.endpoint, kind: "endpoint", name: `endpoint ${short(flow.flow.endpoint)}`, note: `in ${zoneOf(endpoint, places)}: hands each packet whole to its GWLB node` },
    out(flow),
    appliance(flow, places),
    back(flow),
    { key: flow.flow.endpoint, kind: "endpoint", name: `endpoint ${short(flow.flow.endpoint)}`, note: `the same endpoint; then ${routesOf(endpoint, places)}` },
    end(inner, places),
  ].filter(Boolean);
  const keys = hops.map((hop) => hop.key);
  const edges = new Set(keys.flatMap((key, n) => (n ? [`${keys[n - 1]}>${key}`, `${key}>${keys[n - 1]}`] : [])));
  return { hops, cards: new Set(keys), edges };
}

function end({ instance, name, address, port }, places) {
  const subnet = places.state.subnets[instance?.interface.subnet];
  return {
    key: instance?.id ?? "client", kind: "end", name, facts: [["address", address], ...(port ? [["port", port]] : [])],
    note: subnet ? `in subnet ${subnet.ipv4}, ${subnet.zone}` : "in the internet",
  };
}

function igw(gateway, inner, places) {
  const translated = inner.instance?.interface.public_ipv4;
  const plain = inner.address.includes(":") || !translated;
  const table = places.tableOfGateway(gateway);
  const route = table?.routes.find((r) => r.target.Endpoint && covers(r.destination, inner.address));
  return {
    key: gateway.id, kind: "gateway", name: `internet gateway ${short(gateway.id)}`,
    facts: plain ? [] : [["address", `${translated} ⇄ ${inner.address}`]],
    note: route ? `${table.tags.Name ?? "gateway route table"}: ${route.destination} → ${short(route.target.Endpoint)}` : "no route to an endpoint now",
  };
}

function out(flow) {
  return {
    key: flow.node.address, kind: "node", name: `GWLB node ${flow.node.address}`,
    facts: [
      ["cookie", flow.flow.cookie], ["target", `${flow.targetName} ${flow.flow.target}`],
      ["sent", volume(flow.flow.sent)],
    ],
    note: `GENEVE ${flow.node.address} → ${flow.flow.target}, UDP 6081`,
  };
}

function appliance(flow, places) {
  const health = flow.target ? places.health(flow.target) : "gone";
  return {
    key: flow.target?.id ?? flow.flow.target, kind: "appliance", name: flow.targetName, health: health.split(" ")[0],
    facts: [["health", health]], note: "inspects, and returns what may pass with the same GENEVE header",
  };
}

function back(flow) {
  const missing = flow.flow.sent.packets - flow.flow.returned.packets;
  return {
    key: flow.node.address, kind: missing > 0 ? "node short" : "node", name: `GWLB node ${flow.node.address}`,
    facts: [["returned", volume(flow.flow.returned)], ["not returned", `${missing} packet${missing === 1 ? "" : "s"}`]],
    note: "checks cookie, endpoint, inner tuple, udp port and source of what came back",
  };
}

const volume = ({ packets, bytes: length }) => `${packets} packets, ${bytes(length)}`;
const zoneOf = (endpoint, places) => places.state.subnets[endpoint?.interface?.subnet]?.zone ?? "no zone";

function routesOf(endpoint, places) {
  const table = endpoint?.interface && places.tableOfSubnet(places.state.subnets[endpoint.interface.subnet]);
  return table ? `the routes of ${table.tags.Name ?? short(table.id)}` : "its subnet's routes";
}

export const describe = (flow) => `${flow.protocol}, ${flow.flow.closed ? "closed" : "open"}, ${age(flow.flow.age)} old`;

// Whether an IPv4 network holds an address; for IPv6 the first half must be equal, which is how the lab's are cut.
function covers(net, address) {
  const [base, length] = net.split("/");
  if (base.includes(":") !== address.includes(":")) return false;
  if (base.includes(":")) return halves(base) === halves(address);
  const number = (text) => text.split(".").reduce((all, part) => all * 256 + Number(part), 0);
  const block = 2 ** (32 - Number(length));
  return Math.floor(number(base) / block) === Math.floor(number(address) / block);
}

function halves(address) {
  const [head, tail = ""] = address.split("::");
  const [front, end] = [head, tail].map((part) => part.split(":").filter(Boolean));
  const all = [...front, ...Array(Math.max(0, 8 - front.length - end.length)).fill("0"), ...end];
  return all.slice(0, 4).map((word) => parseInt(word, 16)).join(":");
}
