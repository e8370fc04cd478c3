// Reading and publishing. A file that is dropped becomes a job that lasts: it goes on when the page is closed.
import { element, made, tell, ask } from '/page/basics.js';

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

const say = (id, text, wrong) => element(id).replaceChildren(made('span', text, wrong ? 'wrong' : 'hint'));

/// Gives work to the node that goes on when the page is closed; what became of it is said in `place`.
async function begin(place, request) {
  try {
    const job = await tell('/v1/jobs', 'POST', request());
    say(place, `Job ${job.id} has begun.`);
  } catch (error) {
    say(place, error.message, true);
  }
}

function wanted(id, what) {
  const text = element(id).value.trim();
  if (!text) throw new Error(`Say which ${what} first.`);
  return text;
}

for (const [id, kind, field, what] of [['background', 'fetch', 'file', 'file'], ['background-site', 'save', 'directory', 'directory']]) {
  element(id).addEventListener('click', () => {
    if (!element('fetch').reportValidity()) return;
    const uri = element('uri').value.trim().replace(/^bolthole:/i, '');
    begin('fetched', () => ({ kind, uri, [field]: wanted('target', what), direct: element('direct').checked }));
  });
}

/// The kind of name that is chosen, as the node reads it.
function name() {
  const kind = element('kind').value;
  return kind === 'chk' ? kind : `${kind}:${wanted('name', 'name')}`;
}

element('publish').addEventListener('click', () => begin('inserted', () => ({
  kind: 'publish', directory: wanted('directory', 'directory'), name: name(), direct: element('insert-direct').checked,
})));

element('kind').addEventListener('change', () => {
  element('name').hidden = element('kind').value === 'chk';
});

async function insert(file, as) {
  const request = {
    kind: 'insert', name: as, length: file.size, title: file.name, lasting: true, direct: element('insert-direct').checked,
  };
  if (file.type) request.mime = file.type;
  const job = await tell('/v1/jobs', 'POST', request);
  await ask(`/v1/jobs/${job.id}/data`, { method: 'PUT', body: file });
}

async function insertAll(files) {
  let done = 0;
  try {
    const as = name();
    if (as !== 'chk' && files.length > 1) {
      throw new Error('One name is for one file: drop them one by one, or publish their directory as a site.');
    }
    for (const file of files) {
      say('inserted', `${file.name}: handed to the node (${done + 1} of ${files.length})…`);
      await insert(file, as);
      done += 1;
    }
    say('inserted', `${done === 1 ? files[0].name : `${done} files`}: the node has it all. How far it is stands under Jobs.`);
  } catch (error) {
    say('inserted', done ? `${error.message} ${done} of ${files.length} files were taken.` : error.message, true);
  }
}

element('file').addEventListener('change', async () => {
  await insertAll([...element('file').files]);
  element('file').value = '';
});

const drop = element('drop');
for (const kind of ['dragenter', 'dragover']) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add('over'); });
}
for (const kind of ['dragleave', 'drop']) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove('over'); });
}
drop.addEventListener('drop', (event) => {
  const files = [...event.dataTransfer.files];
  if (files.length) insertAll(files);
});
