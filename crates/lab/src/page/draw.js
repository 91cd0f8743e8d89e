// Small things for drawing: elements, numbers, curves.

// An element with attributes and children; children that are text become text nodes, never markup.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Sets text only where it differs: what did not change is not laid out again.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function amount(number) {
  if (number >= 1e9) return `${(number / 1e9).toFixed(2)} G`;
  if (number >= 1e6) return `${(number / 1e6).toFixed(2)} M`;
  if (number >= 1e4) return `${(number / 1e3).toFixed(1)} k`;
  return number >= 10 || Number.isInteger(number) ? String(Math.round(number)) : number.toFixed(1);
}

export function bytes(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)} MB`;
  return number >= 1e4 ? `${(number / 1e3).toFixed(1)} kB` : `${number} B`;
}

export function age(seconds) {
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

export const svgPath = (points) => points.map(([x, y], n) => `${n ? "L" : "M"} ${x} ${y.toFixed(1)}`).join(" ");

// An id as AWS's, short enough to read: its kind and its end.
export function short(id) {
  const cut = id.lastIndexOf("-");
  return cut > 0 && id.length - cut > 10 ? `${id.slice(0, cut + 1)}…${id.slice(-5)}` : id;
}
