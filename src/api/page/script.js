// The page of a node: asks the local interface, of the same origin, and shows what it says. Text is only ever set as text.
'use strict';

const element = (id) => document.getElementById(id);

function made(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

async function ask(path, options) {
  const response = await fetch(path, options);
  if (response.status === 401) throw new Error('This session has ended: run “bolthole open” again.');
  const body = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error(body.error || `The node answered ${response.status}.`);
  return body;
}

// Documents.

const link = () => {
  const way = element('direct').checked ? '?direct=true' : '';
  return element('uri').value.trim().replace(/^bolthole:/i, '') + way;
};

element('fetch').addEventListener('submit', (event) => {
  event.preventDefault();
  window.open(`/${link()}`, '_blank', 'noopener');
});

element('save').addEventListener('click', () => {
  if (!element('fetch').reportValidity()) return;
  const anchor = made('a');
  anchor.href = `/v1/documents/${link()}`;
  anchor.download = '';
  anchor.click();
});

element('kind').addEventListener('change', () => {
  element('name').hidden = element('kind').value === 'chk';
});

async function insert(file) {
  const said = element('inserted');
  const kind = element('kind').value;
  const name = element('name').value.trim();
  try {
    if (kind !== 'chk' && !name) throw new Error('Say the name first.');
    const request = { kind: 'insert', name: kind === 'chk' ? kind : `${kind}:${name}`, length: file.size };
    if (file.type) request.mime = file.type;
    request.direct = element('insert-direct').checked;
    const job = await ask('/v1/jobs', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(request),
    });
    said.replaceChildren(made('span', `${file.name}: on its way…`, 'hint'));
    const events = new EventSource(`/v1/jobs/${job.id}/events`);
    events.addEventListener('end', (event) => {
      events.close();
      const view = JSON.parse(event.data);
      const done = view.state === 'inserted';
      said.replaceChildren(made('span', `${file.name}: `), made('span', done ? view.uri : view.sentence, done ? 'uri' : 'wrong'));
      if (done) {
        const copy = made('button', 'Copy', 'quiet');
        copy.type = 'button';
        copy.addEventListener('click', () => navigator.clipboard.writeText(view.uri));
        said.append(' ', copy);
      }
    });
    await ask(`/v1/jobs/${job.id}/data`, { method: 'PUT', body: file });
  } catch (error) {
    said.replaceChildren(made('span', error.message, 'wrong'));
  }
}

element('file').addEventListener('change', () => {
  const [file] = element('file').files;
  if (file) insert(file);
});

const drop = element('drop');
for (const kind of ['dragenter', 'dragover']) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add('over'); });
}
for (const kind of ['dragleave', 'drop']) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove('over'); });
}
drop.addEventListener('drop', (event) => {
  const [file] = event.dataTransfer.files;
  if (file) insert(file);
});

// Jobs.

const STATES = { running: 'at work', inserted: 'published', fetched: 'fetched', found: 'found', failed: 'failed' };

function jobLine(job) {
  const line = made('li');
  const { bytes, total_bytes: whole, blocks } = job.progress;
  line.append(made('span', `${job.id}: ${STATES[job.state] || job.state}, ${size(bytes)}, ${blocks} blocks `));
  if (job.state === 'running') {
    const bar = made('progress');
    if (whole) { bar.max = whole; bar.value = bytes; }
    bar.setAttribute('aria-label', `Job ${job.id}`);
    const stop = made('button', 'Stop', 'quiet');
    stop.addEventListener('click', () => ask(`/v1/jobs/${job.id}`, { method: 'DELETE' }).then(jobs, () => {}));
    line.append(stop, bar);
  }
  if (job.sentence) line.append(made('span', job.sentence, 'wrong'));
  if (job.uri) line.append(made('div', job.uri, 'uri'));
  return line;
}

async function jobs() {
  const { jobs: all } = await ask('/v1/jobs');
  const latest = all.slice(-SHOWN_JOBS).reverse().map(jobLine);
  if (all.length > SHOWN_JOBS) latest.push(made('li', `and ${all.length - SHOWN_JOBS} before`, 'hint'));
  element('jobs').replaceChildren(...(latest.length ? latest : [made('li', 'None.', 'hint')]));
}

// The node.

function show(status) {
  const minutes = Math.floor(status.uptime_seconds / 60);
  element('summary').textContent =
    `${status.network_name || 'network'} · ${count(status.peers, 'peer')} · ${count(status.relays, 'relay')} · running for ${minutes} min`;
  element('anonymity').textContent = status.anonymity.note;
  element('anonymity').className = status.anonymity.ready ? '' : 'wrong';
  element('disk').textContent = status.disk.note;
  const { cache_blocks: cache, kept_blocks: kept, bytes, limit_bytes: limit } = status.store;
  const share = (blocks) => `${limit ? (100 * bytes * blocks) / Math.max(1, cache + kept) / limit : 0}%`;
  document.querySelector('#store .kept').style.width = share(kept);
  document.querySelector('#store .cache').style.width = share(cache);
  const text = `${size(bytes)} of ${size(limit)}: ${kept} blocks kept for the network, ${cache} passing by`;
  element('store').setAttribute('aria-label', `Store: ${text}`);
  element('store-text').textContent = status.store.fault || text;
  const rows = Object.entries(status.cell_packets).map(([length, count]) => ['with cells', length, count]);
  for (const [kind, lengths] of Object.entries(status.other_packets)) {
    for (const [length, count] of Object.entries(lengths)) rows.push([kind, length, count]);
  }
  element('packets').replaceChildren(...rows.slice(0, SHOWN_ROWS).map((row) => {
    const line = made('tr');
    line.append(...row.map((cell) => made('td', cell)));
    return line;
  }));
}

async function node() {
  const [status, { peers }, { keys }] = await Promise.all([ask('/v1/status'), ask('/v1/peers'), ask('/v1/keys')]);
  show(status);
  const peerLine = (peer) => made('li', `${peer.node.slice(0, 12)} at ${peer.address}, ${peer.inbound ? 'it dialled' : 'we dialled'}`);
  element('peers').replaceChildren(...(peers.length ? peers.map(peerLine) : [made('li', 'None yet.', 'hint')]));
  const keyLine = (key) => {
    const line = made('li', `${key.name} `);
    line.append(made('div', key.request_uri, 'uri'));
    return line;
  };
  const none = made('li', 'Nothing yet: “bolthole keys new NAME” makes a subspace.', 'hint');
  element('keys').replaceChildren(...(keys.length ? keys.map(keyLine) : [none]));
}

async function look() {
  try {
    if (!document.hidden) await Promise.all([jobs(), node()]);
  } catch (error) {
    element('summary').textContent = error.message;
  }
  setTimeout(look, LOOK_EVERY_MS);
}

const SHOWN_JOBS = 50;
const SHOWN_ROWS = 24;
const LOOK_EVERY_MS = 1000;
look();
