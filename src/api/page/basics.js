// What every part of the page needs: elements, figures for people, and questions to the node.

export const element = (id) => document.getElementById(id);

export function made(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

export function button(text, label, act) {
  const node = made('button', text, 'quiet');
  node.type = 'button';
  node.setAttribute('aria-label', label);
  node.addEventListener('click', act);
  return node;
}

export function copier(text, what) {
  const copy = button('Copy', `Copy the URI of ${what}`, async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'Copied';
  });
  return copy;
}

/// A list of lines, or a remark where there is none.
export const fill = (list, lines, none) => list.replaceChildren(...(lines.length ? lines : [made('li', none, 'hint')]));

export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return `${unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

export function span(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export const count = (number, what) => `${number.toLocaleString()} ${what}${number === 1 ? '' : 's'}`;

export async function ask(path, options) {
  const response = await fetch(path, options);
  if (response.status === 401) throw new Error('This session has ended: run “bolthole open” again.');
  const body = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error(body.error || `The node answered ${response.status}.`);
  return body;
}

export const tell = (path, method, value) => ask(path, {
  method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value),
});
