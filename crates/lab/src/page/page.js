// The page: reads /status every second, and draws what changed. Whatever it shows goes through textContent.

import { read } from "/reading.js";
import { Topology } from "/topology.js";
import { Flows } from "/flows.js";
import { amount, el, svgPath } from "/draw.js";

const EVERY = 1000; // milliseconds from one reading to the next
const PATIENCE = 8000; // a command that changes the network keeps the lab from answering
const HISTORY = 120; // readings in the small curve

const byId = (id) => document.getElementById(id);
const topology = new Topology(byId("topology"), (words) => flows.filterBy(words));
const flows = new Flows(byId("flows"), byId("following"), (path) => topology.follow(path));

const history = Array(HISTORY).fill(0);
let last = null;
let answeredAt = 0;

async function turn() {
  if (!document.hidden) {
    try {
      const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(`the lab answers ${answer.status}`);
      const told = await answer.json();
      last = read(told, performance.now() / 1000, last);
      answeredAt = performance.now();
      show(last);
    } catch (error) {
      const since = answeredAt ? `no answer for ${Math.round((performance.now() - answeredAt) / 1000)} s` : "no answer";
      pulse("lost", `${since}: ${error.message}`);
    }
  }
  setTimeout(turn, EVERY);
}

function show(reading) {
  const { settings, totals } = reading;
  const clock = settings.time_scale > 1 ? ` · times ÷ ${settings.time_scale}` : "";
  byId("place").textContent = `${settings.region} · account ${settings.account}${clock}`;
  const shown = [
    ["flows", amount(totals.flows), ""],
    ["packets/s", amount(totals.sentRate), ""],
    ["bit/s", amount(totals.bitRate), ""],
    ["sent", amount(totals.sent), ""],
    ["returned", amount(totals.returned), ""],
    ["mismatches", amount(totals.mismatches), totals.mismatches ? "bad" : "good"],
  ];
  const list = byId("totals");
  if (list.childElementCount === 0) {
    list.append(...shown.map(([name]) => el("div", {}, el("dt", {}, name), el("dd"))));
  }
  shown.forEach(([, value, kind], at) => {
    const dd = list.children[at].lastElementChild;
    dd.textContent = value;
    dd.className = kind;
  });
  spark(totals.sentRate);
  pulse("live", reading.network ? "live" : "live, no network");
  topology.show(reading);
  flows.show(reading);
}

function spark(rate) {
  history.push(rate);
  history.shift();
  const top = Math.max(1, ...history);
  const at = (value, n) => [n, 27 - 25 * (value / top)];
  const line = svgPath(history.map(at));
  const [area, stroke] = byId("spark").children;
  stroke.setAttribute("d", line);
  area.setAttribute("d", `${line} L ${HISTORY - 1} 28 L 0 28 Z`);
}

function pulse(kind, text) {
  const at = byId("pulse");
  at.className = kind;
  if (at.textContent !== text) at.textContent = text;
}

turn();
