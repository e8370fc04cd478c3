// The list of jobs, live: the node sends what has changed, a line is made once and changed where it stands, so that whoever
// has the focus keeps it.
import { ask, button, copier, element, made, size, span, tell } from '/page/basics.js';

/// The jobs that are listed, by their numbers, and their lines. Of a long list the node tells those at work and the newest, until
/// more are wanted; and how many there are in each state.
const jobs = new Map();
const lines = new Map();
const STEP = 50;
let most = STEP;
let counts = {};
let events;

const STATES = { running: 'at work', waiting: 'waiting', paused: 'paused', inserted: 'published', fetched: 'fetched', found: 'found', published: 'published', saved: 'saved', failed: 'failed' };
const WHAT = { insert: 'Publish', fetch: 'Fetch', find: 'Find', publish: 'Publish site', save: 'Save site' };
const goesOut = ({ what }) => what === 'insert' || what === 'publish';
const OPEN = ['running', 'waiting', 'paused'];
const isOpen = ({ state }) => OPEN.includes(state);
const shows = {
  all: () => true, open: (state) => OPEN.includes(state), done: (state) => !OPEN.includes(state) && state !== 'failed', failed: (state) => state === 'failed',
};

async function change(job, act) {
  try {
    await act();
  } catch (error) {
    say(`Job ${job.id}: ${error.message}`);
  }
}

const say = (text) => { element('jobs-said').textContent = text; };

/// The share that is done: of what goes out by the blocks that are stored, of what comes in by the bytes that are there.
function share(job) {
  const { bytes, total_bytes: whole, blocks, total_blocks: all } = job.progress;
  if (goesOut(job)) return all ? Math.min(1, blocks / all) : undefined;
  return whole ? bytes / whole : undefined;
}

/// How far it is, how fast, and how long that will take.
function pace(entry, job) {
  const { total_bytes: whole, blocks, total_blocks: all, search, files, total_files: allFiles } = job.progress;
  const part = share(job);
  const bytes = goesOut(job) && part !== undefined && whole ? part * whole : job.progress.bytes;
  const words = [];
  if (search && !bytes) words.push(`searching, try ${search[0]} of ${search[1]}`);
  if (whole && part !== undefined) words.push(`${Math.floor(100 * part)} % of ${size(whole)}`);
  else if (bytes) words.push(size(bytes));
  if (allFiles) words.push(`${(files || 0).toLocaleString()} of ${allFiles.toLocaleString()} files`);
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

const titleOf = (job) => `${WHAT[job.what]} ${job.title || ''}`.trim();

function newLine() {
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

/// Brings a line up to date with its job.
function show(job) {
  let entry = lines.get(job.id);
  if (!entry) {
    entry = newLine();
    lines.set(job.id, entry);
  }
  const priority = job.priority ? ` · ${job.priority} priority` : '';
  entry.title.textContent = titleOf(job);
  const far = pace(entry, job);
  entry.state.textContent = `${job.id} · ${STATES[job.state]}${priority}${far ? ` · ${far}` : ''}`;
  entry.bar.hidden = !isOpen(job);
  if (isOpen(job)) {
    const part = share(job);
    if (part === undefined && job.state === 'running') entry.bar.removeAttribute('value');
    else entry.bar.value = part || 0;
    entry.bar.setAttribute('aria-label', `${titleOf(job)}, job ${job.id}`);
  }
  entry.line.dataset.state = job.state;
  const shape = [job.state, job.priority, job.sentence, job.uri].join();
  if (shape !== entry.shape) {
    entry.shape = shape;
    acts(entry, job);
    more(entry, job);
  }
  return entry.line;
}

const rank = (job) => (job.state === 'running' ? 0 : 1);

/// The lines of the jobs that are listed. Whatever has the focus keeps it.
function draw() {
  const held = document.activeElement;
  const shown = [...jobs.values()].sort((one, other) => rank(one) - rank(other) || other.id - one.id);
  const there = new Set(shown.map((job) => job.id));
  for (const [id, { line }] of lines) {
    if (!there.has(id)) {
      line.remove();
      lines.delete(id);
    }
  }
  let at = element('jobs').firstElementChild;
  for (const job of shown) {
    const had = lines.get(job.id);
    const line = had && had.job === job ? had.line : show(job);
    lines.get(job.id).job = job;
    if (line === at) at = at.nextElementSibling;
    else element('jobs').insertBefore(line, at);
  }
  if (held !== document.activeElement && held.isConnected) held.focus();
}

const number = (is) => Object.keys(counts).filter(is).reduce((all, state) => all + counts[state], 0);

function sum() {
  const words = [...new Set(Object.values(STATES))].map((word) => [word, number((state) => STATES[state] === word)]);
  const some = words.filter(([, jobs]) => jobs);
  element('jobs-count').textContent = some.map(([word, jobs]) => `${jobs.toLocaleString()} ${word}`).join(' · ');
  element('jobs-none').hidden = some.length > 0;
  element('jobs-clear').hidden = !number(shows.done);
  const left = number(shows[element('jobs-shown').value]) - jobs.size;
  element('jobs-more').hidden = left <= 0;
  element('jobs-more').textContent = `Show ${Math.min(left, STEP)} more of ${left.toLocaleString()}`;
}

element('jobs-shown').addEventListener('change', () => {
  most = STEP;
  followJobs();
});

element('jobs-more').addEventListener('click', () => {
  most += STEP;
  followJobs();
});

element('jobs-clear').addEventListener('click', async () => {
  const done = await ask('/v1/jobs?show=done');
  for (const job of done.jobs) await change(job, () => ask(`/v1/jobs/${job.id}`, { method: 'DELETE' }));
});

/// Shows what has changed; of a whole list, also what is missing. The node tells jobs in the order of their numbers.
function take(text, isWhole) {
  const start = performance.now();
  const { jobs: changed, gone, counts: now } = JSON.parse(text);
  counts = now || {};
  if (isWhole) jobs.clear();
  for (const id of gone || []) jobs.delete(id);
  for (const job of changed) {
    const before = jobs.get(job.id);
    if (before && isOpen(before) && !isOpen(job)) say(`${titleOf(job)}: ${STATES[job.state]}`);
    jobs.set(job.id, job);
  }
  draw();
  sum();
  // For whoever measures the page: until the browser has laid it out.
  if (isWhole) {
    const bytes = text.length;
    const height = element('jobs').scrollHeight;
    const [ms, loaded] = [performance.now() - start, performance.now()].map((time) => time.toFixed(1));
    Object.assign(document.body.dataset, { jobs: number(shows.all), bytes, height, ms, loaded });
  }
}

const wanted = () => `newest=${most}&show=${element('jobs-shown').value}`;

export async function lookAtJobs() {
  const response = await fetch(`/v1/jobs?${wanted()}`);
  take(await response.text(), true);
}

export function followJobs() {
  events?.close();
  events = new EventSource(`/v1/jobs/events?${wanted()}`);
  let isFirst = true;
  // A node that was restarted sends the whole list again.
  events.addEventListener('open', () => { isFirst = true; });
  events.addEventListener('jobs', (event) => {
    take(event.data, isFirst);
    isFirst = false;
  });
}
