// Makes dialogs of questions, copies secrets, and keeps a second click from losing one. Whatever it
// does, the page works without it.
'use strict';

const secrets = () => document.querySelectorAll('[data-secret]');

for (const dialog of document.querySelectorAll('dialog[data-modal]')) {
  const keep = 'keep' in dialog.dataset;
  const leave = () => {
    // In place of the address with the question, so that Back does not ask it again.
    if (dialog.dataset.leave) location.replace(dialog.dataset.leave);
  };
  dialog.close();
  dialog.showModal();
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    if (!keep) leave();
  });
  dialog.addEventListener('keydown', (event) => {
    // A second Escape closes a dialog whatever `cancel` says; this one never gets there.
    if (keep && event.key === 'Escape') event.preventDefault();
  });
  dialog.addEventListener('close', () => {
    if (keep) dialog.showModal();
  });
  for (const link of dialog.querySelectorAll('[data-leaves]')) {
    link.addEventListener('click', (event) => {
      event.preventDefault();
      leave();
    });
  }
}

// Selects a text, as a person does who copies it, and says whether that copied it.
function copySelected(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  return document.execCommand('copy');
}

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // Not over plain http, and not where it is forbidden.
    return copySelected(source);
  }
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  const text = button.firstChild;
  const usual = text.data;
  let timer;
  button.addEventListener('click', async () => {
    const done = await copy(document.getElementById(button.dataset.copy));
    const word = done ? button.dataset.done : button.dataset.failed;
    text.data = word;
    document.querySelector('[data-said]').textContent = word;
    clearTimeout(timer);
    timer = setTimeout(() => { text.data = usual; }, 4000);
  });
}

function forget() {
  for (const secret of secrets()) secret.textContent = '';
}

for (const link of document.querySelectorAll('[data-saved]')) {
  link.addEventListener('click', (event) => {
    event.preventDefault();
    forget();
    // In place of the answer that held the secret, so that Back does not lead to it.
    location.replace(link.href);
  });
}

addEventListener('pagehide', forget);

addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  // Brought back from memory: what it shows is old, and a secret is gone from it.
  const saved = document.querySelector('[data-saved]');
  if (saved) location.replace(saved.href);
  else location.reload();
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  // The answer to a second one would take the place of the one with the secret.
  if ('sent' in form.dataset) event.preventDefault();
  form.dataset.sent = '';
});
