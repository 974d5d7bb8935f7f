// The editor of decision tables: dmn-js draws, every change is kept on the server; gaps and overlaps stand above it after the next look.
import Modeler from 'dmn-js/lib/Modeler';
import 'dmn-js/dist/assets/diagram-js.css';
import 'dmn-js/dist/assets/dmn-js-shared.css';
import 'dmn-js/dist/assets/dmn-js-drd.css';
import 'dmn-js/dist/assets/dmn-js-decision-table.css';
import 'dmn-js/dist/assets/dmn-js-decision-table-controls.css';
import 'dmn-js/dist/assets/dmn-js-literal-expression.css';
import 'dmn-js/dist/assets/dmn-js-boxed-expression.css';
import 'dmn-js/dist/assets/dmn-js-boxed-expression-controls.css';
import 'dmn-js/dist/assets/dmn-font/css/dmn-embedded.css';
import { Keeper } from './editor/keeper.mjs';
import { translator } from './editor/words.mjs';
import { TABLE_WORDS } from './editor/table-words.mjs';
import { speak } from './editor/form-words.mjs';

const place = document.getElementById('file-editor'), source = document.getElementById('content');
const words = { additionalModules: [translator(place.dataset.language, TABLE_WORDS)] };
const editor = new Modeler({ container: document.getElementById('table-canvas'), drd: words, decisionTable: words, literalExpression: words, boxedExpression: words });
const xml = async () => (await editor.saveXML({ format: true })).xml;
const keeper = new Keeper(place, xml, async () => { source.value = await xml(); });
editor.on('views.changed', () => {
  const viewer = editor.getActiveViewer();
  if (viewer && !viewer.kept) { viewer.kept = true; viewer.on('elements.changed', () => keeper.changed()); }
});
// Rows and columns by buttons: the editor's own menu opens by the mouse alone.
document.getElementById('table-tools').addEventListener('click', event => {
  const tool = event.target.closest('[data-table]')?.dataset.table, viewer = editor.getActiveViewer();
  if (!tool || !viewer?.get('editorActions', false)) return;
  const actions = viewer.get('editorActions'), chosen = viewer.get('selection').get();
  if (tool === 'undo' || tool === 'redo') actions.trigger(tool);
  else if (tool === 'addRule') actions.trigger(chosen?.row ? 'addRuleBelow' : 'addRule', chosen?.row ? { rule: chosen.row } : undefined);
  else if (tool === 'removeRule') { if (chosen?.row) actions.trigger(tool, { rule: chosen.row }); } else actions.trigger(tool);
});
await editor.importXML(source.value);
const tables = editor.getViews().filter(view => view.type === 'decisionTable');
if (tables.length) await editor.open(tables[0]);
speak(document.getElementById('table-canvas'), '.context-menu', place.dataset.language, text => TABLE_WORDS[text]);
document.body.dataset.editorReady = '1';
