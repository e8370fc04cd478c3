// What the node is and does: store, traffic, packets, anonymity, and what its owner has published.
import { ask, copier, count, element, fill, made, size, span } from '/page/basics.js';
import { showRing } from '/page/ring.js';

const LOOK_EVERY_MS = 1000;
const SHOWN_ROWS = 24;
let last;

function showStore({ cache_blocks: cache, kept_blocks: kept, bytes, limit_bytes: limit, fault }) {
  const share = (blocks) => `${limit ? (100 * bytes * blocks) / Math.max(1, cache + kept) / limit : 0}%`;
  document.querySelector('#store .kept').style.width = share(kept);
  document.querySelector('#store .cache').style.width = share(cache);
  element('store-kept').textContent = `${count(kept, 'block')} kept for the network`;
  element('store-cache').textContent = `${cache.toLocaleString()} passing by`;
  const text = `${size(bytes)} of ${size(limit)}`;
  element('store').setAttribute('aria-label', `Store: ${text}, ${kept} blocks kept for the network, ${cache} passing by`);
  element('store-text').textContent = fault ? `It takes nothing more: ${fault}.` : text;
}

function packets(status) {
  const all = Object.entries(status.cell_packets).map(([length, number]) => ['with cells', length, number]);
  for (const [kind, lengths] of Object.entries(status.other_packets)) {
    for (const [length, number] of Object.entries(lengths)) all.push([kind, length, number]);
  }
  return all;
}

function showPackets(all) {
  const most = Math.max(1, ...all.map(([, , number]) => number));
  element('packets').replaceChildren(...all.slice(0, SHOWN_ROWS).map(([kind, length, number]) => {
    const row = made('div', undefined, 'bar-row');
    const bar = made('span', undefined, 'bar');
    bar.style.width = `${Math.max(0.5, (100 * number) / most)}%`;
    const track = made('span', undefined, 'bar-track');
    track.append(bar);
    row.append(made('span', `${kind}, ${length} B`), track, made('span', number.toLocaleString()));
    return row;
  }));
}

function showTraffic(status, all) {
  const now = performance.now();
  const bytes = all.reduce((sum, [, length, number]) => sum + length * number, 0);
  const { fetches = 0, inserts = 0 } = status.requests.made || {};
  const rate = last && now > last.at ? ((bytes - last.bytes) / (now - last.at)) * 1000 : 0;
  last = { bytes, at: now };
  const under = count(status.requests.commands, 'block');
  element('traffic').textContent =
    `${size(Math.max(0, rate))}/s going out, ${size(bytes)} since the start. For you: ${under} under way; ${count(inserts, 'insert')} and ${count(fetches, 'fetch').replace(/fetchs$/, 'fetches')} of blocks so far.`;
}

function show(status) {
  element('summary').textContent =
    `${status.network_name || 'network'} · ${count(status.peers, 'peer')} · ${count(status.relays, 'relay')} · running for ${span(status.uptime_seconds)}`;
  element('anonymity').textContent = status.anonymity.note;
  element('anonymity').className = status.anonymity.ready ? 'right' : 'wrong';
  element('disk').textContent = `Disk: ${status.disk.note}.`;
  showStore(status.store);
  const all = packets(status);
  showTraffic(status, all);
  showPackets(all);
}

function siteLine(site) {
  const line = made('li');
  const head = made('div', undefined, 'row spread');
  const edition = site.edition === undefined ? '' : `, edition ${site.edition}`;
  const when = made('time', new Date(site.published * 1000).toLocaleString());
  when.dateTime = new Date(site.published * 1000).toISOString();
  const about = made('span', `${size(site.bytes)}${edition}, `, 'hint');
  about.append(when);
  head.append(made('strong', site.name), about);
  const row = made('div', undefined, 'row');
  const open = made('a', site.uri, 'uri');
  open.href = `/${site.uri}`;
  open.target = '_blank';
  open.rel = 'noopener';
  row.append(open, copier(site.uri, site.name));
  line.append(head, row);
  return line;
}

function keyLine(key) {
  const line = made('li', `${key.name} `);
  line.append(made('div', key.request_uri, 'uri'));
  return line;
}

let shown = '';

/// Lists that seldom change are made anew only when they do: a selection in them stays.
function showOwn(sites, keys) {
  const text = JSON.stringify([sites, keys]);
  if (text === shown) return;
  shown = text;
  fill(element('sites'), sites.map(siteLine), 'Nothing published under a name of yours yet.');
  fill(element('keys'), keys.map(keyLine), 'Nothing yet: “bolthole keys new NAME” makes a subspace.');
}

async function once() {
  const [status, { peers }, { keys }, { sites }] =
    await Promise.all(['/v1/status', '/v1/peers', '/v1/keys', '/v1/sites'].map((path) => ask(path)));
  show(status);
  showRing(status, peers);
  showOwn(sites, keys);
}

export async function look() {
  try {
    await once();
  } catch (error) {
    element('summary').textContent = error.message;
  }
}

export async function lookOn() {
  if (!document.hidden) await look();
  setTimeout(lookOn, LOOK_EVERY_MS);
}
