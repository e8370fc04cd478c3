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

element('background').addEventListener('click', async () => {
  if (!element('fetch').reportValidity()) return;
  const uri = element('uri').value.trim().replace(/^bolthole:/i, '');
  try {
    const file = element('target').value.trim();
    if (!file) throw new Error('Say which file first.');
    const job = await tell('/v1/jobs', 'POST', { kind: 'fetch', uri, file, direct: element('direct').checked });
    say('fetched', `Job ${job.id} has begun.`);
  } catch (error) {
    say('fetched', error.message, true);
  }
});

element('kind').addEventListener('change', () => {
  element('name').hidden = element('kind').value === 'chk';
});

async function insert(file, name) {
  const request = {
    kind: 'insert', name, length: file.size, title: file.name, lasting: true, direct: element('insert-direct').checked,
  };
  if (file.type) request.mime = file.type;
  const job = await tell('/v1/jobs', 'POST', request);
  await ask(`/v1/jobs/${job.id}/data`, { method: 'PUT', body: file });
}

async function insertAll(files) {
  const kind = element('kind').value;
  const name = element('name').value.trim();
  let done = 0;
  try {
    if (kind !== 'chk' && !name) throw new Error('Say the name first.');
    if (kind !== 'chk' && files.length > 1) {
      throw new Error('One name is for one file: drop them one by one, or publish a directory with “bolthole site publish”.');
    }
    for (const file of files) {
      say('inserted', `${file.name}: handed to the node (${done + 1} of ${files.length})…`);
      await insert(file, kind === 'chk' ? kind : `${kind}:${name}`);
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
