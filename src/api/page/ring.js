// The ring of places with this node, its peers and the links between them: how long each link is, and what passes over it.
import { element, made, count } from '/page/basics.js';

const RADIUS = 96;
let before = new Map();

function drawn(tag, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/// A place as a share of the ring.
const share = (location) => parseInt(location.slice(0, 8), 16) / 2 ** 32;
const at = (part, radius = RADIUS) => [radius * Math.sin(2 * Math.PI * part), -radius * Math.cos(2 * Math.PI * part)];

function distance(one, other) {
  const way = Math.abs(one - other);
  return Math.min(way, 1 - way);
}

/// Messages that have passed over a link since the last look.
function passed(peer) {
  const now = peer.sent + peer.received;
  const last = before.get(peer.node);
  return last === undefined || now < last ? 0 : now - last;
}

export function showRing(status, peers) {
  const ring = element('ring');
  const parts = [drawn('circle', { r: RADIUS, class: 'track' })];
  const own = status.location ? share(status.location) : undefined;
  const placed = peers.filter((peer) => peer.location);
  let passing = 0;
  for (const peer of placed) {
    const place = share(peer.location);
    const [x, y] = at(place);
    const busy = passed(peer);
    passing += busy;
    if (own !== undefined) {
      const [fromX, fromY] = at(own);
      // Bent towards the middle, so that links of neighbours on the ring can be told apart.
      const bend = `M${fromX.toFixed(2)} ${fromY.toFixed(2)} Q0 0 ${x.toFixed(2)} ${y.toFixed(2)}`;
      const width = 0.8 + Math.min(3.2, Math.log2(1 + busy) * 0.5);
      const chord = drawn('path', { d: bend, class: busy ? 'link busy' : 'link', 'stroke-width': width.toFixed(1) });
      chord.append(drawn('title', {}, `${peer.node.slice(0, 12)}: ${(100 * distance(own, place)).toFixed(2)} % of the ring away, ${busy} messages just now`));
      parts.push(chord);
    }
    const dot = drawn('circle', { cx: x.toFixed(2), cy: y.toFixed(2), r: 4, class: 'peer' });
    dot.append(drawn('title', {}, `${peer.node.slice(0, 12)} at ${peer.address}`));
    parts.push(dot);
  }
  if (own !== undefined) {
    const [x, y] = at(own);
    const [labelX, labelY] = at(own, RADIUS + 13);
    parts.push(drawn('circle', { cx: x.toFixed(2), cy: y.toFixed(2), r: 6, class: 'own' }));
    parts.push(drawn('text', { x: labelX.toFixed(2), y: (labelY + 3).toFixed(2), class: 'label', 'text-anchor': labelX > 20 ? 'start' : labelX < -20 ? 'end' : 'middle' }, 'you'));
  }
  ring.replaceChildren(...parts);
  const lengths = own === undefined ? [] : placed.map((peer) => distance(own, share(peer.location))).sort((a, b) => a - b);
  const middle = lengths.length ? `; half of the links are shorter than ${(100 * lengths[Math.floor(lengths.length / 2)]).toFixed(1)} % of the ring` : '';
  element('ring-text').textContent = own === undefined
    ? 'This node has no place on a ring: it is still joining, or its overlay has none.'
    : `This node and ${count(placed.length, 'neighbour')}${middle}. ${count(passing, 'message')} passed since the last look.`;
  table(own, peers);
  before = new Map(peers.map((peer) => [peer.node, peer.sent + peer.received]));
}

function table(own, peers) {
  element('peers').replaceChildren(...peers.map((peer) => {
    const line = made('tr');
    const length = own !== undefined && peer.location ? `${(100 * distance(own, share(peer.location))).toFixed(2)} %` : '–';
    const trip = peer.round_trip_ms === undefined ? '–' : `${peer.round_trip_ms.toFixed(1)} ms`;
    const direction = peer.inbound ? 'it dialled' : 'we dialled';
    const cells = [peer.node.slice(0, 12), `${peer.address}, ${direction}`, length, peer.received, peer.sent, trip];
    line.append(...cells.map((cell) => made('td', cell)));
    return line;
  }));
}
