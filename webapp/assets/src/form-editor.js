// The form editor: form-js draws, our own renderer shows beside it what people will get, every change is kept on the server.
import { FormEditor } from '@bpmn-io/form-js-editor';
import '@bpmn-io/form-js-viewer/dist/assets/form-js.css';
import '@bpmn-io/form-js-editor/dist/assets/form-js-editor.css';
import '@bpmn-io/form-js-editor/dist/assets/dragula.css';
import '@bpmn-io/form-js-editor/dist/assets/properties-panel.css';
import { Keeper } from './editor/keeper.mjs';
import { formWord, speak } from './editor/form-words.mjs';
import { FormList } from './editor/form-list.mjs';

const place = document.getElementById('file-editor'), source = document.getElementById('content'), preview = document.getElementById('form-preview');
const editor = new FormEditor({ container: document.getElementById('form-canvas') });
const written = () => `${JSON.stringify(editor.saveSchema(), null, 2)}\n`;
const keeper = new Keeper(place, async () => written(), () => {});

// The page is drawn by the server: the same macros, the same rules of visibility, on what stands in the editor now.
let asked = 0;
async function show() {
  const form = new FormData(preview), mine = ++asked;
  form.set('csrf_token', place.dataset.token);
  form.set('content', source.value);
  const answer = await fetch(place.dataset.preview, { method: 'POST', body: form });
  if (mine === asked && answer.ok) preview.innerHTML = await answer.text();
}
preview.addEventListener('submit', event => event.preventDefault());
preview.addEventListener('change', event => event.target.closest('[data-reshape]') && show());
await editor.importSchema(JSON.parse(source.value));
editor.on('changed', () => { source.value = written(); keeper.changed(); show(); });
speak(document.getElementById('form-canvas'), '.fjs-palette-container, .fjs-properties-container', place.dataset.language);
const KINDS = Object.fromEntries([...document.querySelectorAll('#list-kind option')].map(one => [one.value, one.textContent]));
new FormList(editor, type => KINDS[type] ?? (place.dataset.language === 'en' ? type : formWord(type) ?? type));
await show();
document.body.dataset.editorReady = '1';
