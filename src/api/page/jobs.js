// The list of jobs, live: the node sends what has changed, a line is made once and changed where it stands, so that whoever
// has the focus keeps it.
import { ask, button, copier, element, made, size, span, tell } from '/page/basics.js';

const known = new Map();
/// Jobs that are known and have no line yet: a long list is drawn a slice at a time, so that the page answers at once.
const undrawn = new Map();
const SLICE = 100;
let drawing;

const STATES = { running: 'at work', waiting: 'waiting', paused: 'paused', inserted: 'published', fetched: 'fetched', found: 'found', failed: 'failed' };
const WHAT = { insert: 'Publish', fetch: 'Fetch', find: 'Find' };
const isOpen = (job) => job.state === 'running' || job.state === 'waiting' || job.state === 'paused';
const shows = {
  all: () => true, open: isOpen, done: (job) => !isOpen(job) && job.state !== 'failed', failed: (job) => job.state === 'failed',
};

async function change(job, act) {
  try {
    await act();
  } catch (error) {
    say(`Job ${job.id}: ${error.message}`);
  }
}

const say = (text) => { element('jobs-said').textContent = text; };

/// The share that is done: of an insert by the blocks that are stored, of a fetch by the bytes that are there.
function share({ what, progress }) {
  const { bytes, total_bytes: whole, blocks, total_blocks: all } = progress;
  if (what === 'insert') return all ? Math.min(1, blocks / all) : undefined;
  return whole ? bytes / whole : undefined;
}

/// How far it is, how fast, and how long that will take.
function pace(entry, job) {
  const { total_bytes: whole, blocks, total_blocks: all, search } = job.progress;
  const part = share(job);
  const bytes = job.what === 'insert' && part !== undefined && whole ? part * whole : job.progress.bytes;
  const words = [];
  if (search && !bytes) words.push(`searching, try ${search[0]} of ${search[1]}`);
  if (whole && part !== undefined) words.push(`${Math.floor(100 * part)} % of ${size(whole)}`);
  else if (bytes) words.push(size(bytes));
  if (blocks) words.push(`${blocks.toLocaleString()}${isOpen(job) && all ? ` of ${all.toLocaleString()}` : ''} blocks`);
  const now = performance.now();
  if (job.state === 'running' && entry.seen && bytes > entry.seen.bytes && now > entry.seen.at) {
    const rate = ((bytes - entry.seen.bytes) / (now - entry.seen.at)) * 1000;
    entry.rate = entry.rate ? 0.8 * entry.rate + 0.2 * rate : rate;
  }
  if (job.state !== 'running') entry.rate = 0;
  entry.seen = { bytes, at: now };
  if (entry.rate) {
    words.push(`${size(entry.rate)}/s`);
    if (whole > bytes) words.push(`${span((whole - bytes) / entry.rate)} left`);
  }
  return words.join(' · ');
}

function newLine(job) {
  const line = made('li', undefined, 'job');
  const [head, title, state, bar, acts, more] =
    [made('div', undefined, 'row spread'), made('span', undefined, 'title'), made('span', undefined, 'hint'), made('progress'), made('span', undefined, 'row'), made('div')];
  head.append(title, acts);
  line.append(head, state, bar, more);
  return { line, title, state, bar, acts, more, shape: '' };
}

/// What can be done with it; made anew only when that changes.
function acts(entry, job) {
  const name = `job ${job.id}, ${job.title || job.what}`;
  const path = `/v1/jobs/${job.id}`;
  const all = [];
  if (job.lasting && (job.state === 'running' || job.state === 'waiting')) {
    all.push(button('Pause', `Pause ${name}`, () => change(job, () => tell(path, 'PATCH', { paused: true }))));
  }
  if (job.lasting && (job.state === 'paused' || job.state === 'failed')) {
    all.push(button('Resume', `Resume ${name}`, () => change(job, () => tell(path, 'PATCH', { paused: false }))));
  }
  if (job.lasting && isOpen(job) && job.priority !== 'high') {
    all.push(button('First', `Do ${name} first`, () => change(job, () => tell(path, 'PATCH', { priority: 'high' }))));
  }
  const end = isOpen(job) ? 'Cancel' : 'Forget';
  all.push(button(end, `${end} ${name}`, () => change(job, () => ask(path, { method: 'DELETE' }))));
  entry.acts.replaceChildren(...all);
}

function more(entry, job) {
  const parts = [];
  if (job.sentence) parts.push(made('p', job.sentence, job.state === 'failed' ? 'wrong' : 'hint'));
  const uri = job.uri || job.found;
  if (uri) {
    const row = made('div', undefined, 'row');
    const open = made('a', uri, 'uri');
    open.href = `/${uri}`;
    open.target = '_blank';
    open.rel = 'noopener';
    row.append(open, copier(uri, job.title || 'the document'));
    parts.push(row);
  }
  entry.more.replaceChildren(...parts);
}

/// Puts a line where it belongs, the newest first: almost always at an end.
function place(line, id) {
  line.dataset.id = id;
  const list = element('jobs');
  if (Number(list.firstElementChild?.dataset.id) < id) return list.prepend(line);
  let before = list.lastElementChild;
  while (before && Number(before.dataset.id) < id) before = before.previousElementSibling;
  return before ? before.after(line) : list.prepend(line);
}

function show(job) {
  let entry = known.get(job.id);
  if (!entry) {
    entry = newLine(job);
    known.set(job.id, entry);
    place(entry.line, job.id);
  }
  const before = entry.job;
  entry.job = job;
  const priority = job.priority ? ` · ${job.priority} priority` : '';
  entry.title.textContent = `${WHAT[job.what]} ${job.title || ''}`.trim();
  const far = pace(entry, job);
  entry.state.textContent = `${job.id} · ${STATES[job.state]}${priority}${far ? ` · ${far}` : ''}`;
  entry.bar.hidden = !isOpen(job);
  if (isOpen(job)) {
    const part = share(job);
    if (part === undefined && job.state === 'running') entry.bar.removeAttribute('value');
    else entry.bar.value = part || 0;
    entry.bar.setAttribute('aria-label', `${entry.title.textContent}, job ${job.id}`);
  }
  entry.line.dataset.state = job.state;
  entry.line.hidden = !shows[element('jobs-shown').value](job);
  const shape = [job.state, job.priority, job.sentence, job.uri].join();
  if (shape !== entry.shape) {
    entry.shape = shape;
    acts(entry, job);
    more(entry, job);
    if (before && isOpen(before) && !isOpen(job)) say(`${entry.title.textContent}: ${STATES[job.state]}`);
  }
}

function forget(id) {
  known.get(id)?.line.remove();
  known.delete(id);
  undrawn.delete(id);
}

function sum() {
  const all = [...[...known.values()].map((entry) => entry.job), ...undrawn.values()];
  const numbers = {};
  for (const { state } of all) numbers[state] = (numbers[state] || 0) + 1;
  const words = Object.keys(STATES).filter((state) => numbers[state]);
  element('jobs-count').textContent = words.map((state) => `${numbers[state]} ${STATES[state]}`).join(' · ');
  element('jobs-none').hidden = all.length > 0;
  element('jobs-clear').hidden = !all.some(shows.done);
}

element('jobs-shown').addEventListener('change', () => {
  for (const entry of known.values()) entry.line.hidden = !shows[element('jobs-shown').value](entry.job);
});

element('jobs-clear').addEventListener('click', async () => {
  for (const entry of [...known.values()]) {
    if (shows.done(entry.job)) await change(entry.job, () => ask(`/v1/jobs/${entry.job.id}`, { method: 'DELETE' }));
  }
});

/// Gives lines to some more of those that have none.
function draw() {
  clearTimeout(drawing);
  const some = [...undrawn.values()].slice(0, SLICE);
  for (const job of some) {
    undrawn.delete(job.id);
    show(job);
  }
  if (undrawn.size) drawing = setTimeout(draw);
}

/// Shows what has changed; of a whole list, also what is missing.
function take(text, isWhole) {
  const start = performance.now();
  const { jobs, gone } = JSON.parse(text);
  const there = new Set(jobs.map((job) => job.id));
  const leave = isWhole ? [...known.keys(), ...undrawn.keys()].filter((id) => !there.has(id)) : gone || [];
  leave.forEach(forget);
  for (const job of jobs.reverse()) {
    if (known.has(job.id)) show(job);
    else undrawn.set(job.id, job);
  }
  draw();
  sum();
  // For whoever measures the page: until the browser has laid it out.
  if (isWhole) {
    const bytes = text.length;
    const height = element('jobs').scrollHeight;
    Object.assign(document.body.dataset, { jobs: jobs.length, bytes, height, ms: (performance.now() - start).toFixed(1) });
  }
}

export async function lookAtJobs() {
  const response = await fetch('/v1/jobs');
  take(await response.text(), true);
}

export function followJobs() {
  const events = new EventSource('/v1/jobs/events');
  let isFirst = true;
  // A node that was restarted sends the whole list again.
  events.addEventListener('open', () => { isFirst = true; });
  events.addEventListener('jobs', (event) => {
    take(event.data, isFirst);
    isFirst = false;
  });
}
