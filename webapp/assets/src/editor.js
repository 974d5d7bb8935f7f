// The diagram editor: bpmn-js with our panel, our words, the gate's report beside it, every change kept on the server.
import Modeler from 'bpmn-js/lib/Modeler';
import minimap from 'diagram-js-minimap';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn-embedded.css';
import 'diagram-js-minimap/assets/diagram-js-minimap.css';
import moddle from './editor/moddle.mjs';
import { NAMES, panelWords, spoken, translator } from './editor/words.mjs';
import { Repairs } from './editor/repairs.mjs';
import { Changes } from './editor/model.mjs';
import { Panel } from './editor/panel.mjs';
import { Keeper } from './editor/keeper.mjs';
import { Drawing } from './editor/drawing.mjs';
import { Steps } from './editor/steps.mjs';
import { Acts } from './editor/acts.mjs';

const place = document.getElementById('editor'), language = place.dataset.language, words = panelWords(language);
const font = { fontFamily: 'Be Vietnam Pro, sans-serif' };
const modeler = new Modeler({
  container: place.querySelector('.editor-canvas'), moddleExtensions: { spiffworkflow: moddle }, textRenderer: { defaultStyle: font, externalStyle: font },
  additionalModules: [translator(language), minimap],
});
const offers = JSON.parse(document.getElementById('editor-panel').textContent);
const changes = new Changes(modeler);
const panel = new Panel(place.querySelector('.editor-side'), modeler, changes, offers, words, language);
const repairs = new Repairs(modeler, changes, offers, { ...words, ...NAMES }, one => spoken(language, one));
const locked = place.dataset.locked !== undefined, translate = modeler.get('translate');
const steps = new Steps(document.getElementById('steps'), modeler, words, element => translate(panel.kind(element)), () => (document.getElementById('panel-name') ?? document.getElementById('panel-title'))?.focus());
if (!locked) panel.acts = steps.acts = new Acts(panel, new Drawing(modeler, changes), steps, words, translate);
const xml = async () => (await modeler.saveXML({ format: true })).xml;
const keeper = new Keeper(place, xml, () => report());
keeper.compare = words.compare;

// What the gate says of the last save: on the canvas as colours, beside it as sentences; a sentence leads to its element.
let marked = [];
async function report() {
  const answer = await fetch(place.dataset.report, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  const { findings } = await answer.json(), canvas = modeler.get('canvas'), registry = modeler.get('elementRegistry');
  for (const [id, marker] of marked) if (registry.get(id)) canvas.removeMarker(id, marker);
  marked = findings.filter(one => one.element && registry.get(one.element) && one.severity !== 'note').map(one => [one.element, one.severity]);
  for (const [id, marker] of marked) canvas.addMarker(id, marker);
  document.getElementById('finding-count').textContent = findings.length;
  const judged = document.getElementById('judged'), wrong = findings.filter(one => one.severity === 'refused').length;
  if (judged) { judged.className = `state ${wrong ? 'late' : 'done'}`; judged.textContent = wrong ? judged.dataset.wrong.replace('2', wrong) : judged.dataset.fit; }
  document.getElementById('finding-list').replaceChildren(...(findings.length ? findings.map(sentence) : [node('li', 'done', node('p', '', words.clean))]));
}
const node = (tag, className, ...children) => { const made = document.createElement(tag); if (className) made.className = className; made.append(...children); return made; };
function sentence(one) {
  const where = node('strong', '', `${one.place.file}${one.place.line ? `:${one.place.line}` : ''}${one.name ? ` · ${one.name}` : ''}`);
  const made = node('li', one.severity, where, node('p', '', spoken(language, one)), ...(one.repair.vi ? [node('p', 'secondary', spoken(language, one.repair))] : []));
  where.translate = false;
  if (one.element && modeler.get('elementRegistry').get(one.element)) {
    const button = node('button', 'btn btn-quiet btn-sm', where);
    button.type = 'button';
    button.addEventListener('click', () => reveal(one));
    made.prepend(button);
    const ways = !locked ? repairs.of(one) : [];
    if (ways.length) made.append(node('div', 'button-row', ...ways.map(([text, act]) => {
      const repair = node('button', 'btn btn-outline btn-sm', text);
      repair.type = 'button';
      repair.addEventListener('click', () => { for (const other of repair.parentElement.children) other.disabled = true; repairs.run(modeler.get('elementRegistry').get(one.element), act); });
      return repair;
    })));
  }
  return made;
}
// The way that leads to a fault: its steps in order with their numbers, and the flows between them.
let path = [];
function reveal(one) {
  const registry = modeler.get('elementRegistry'), element = registry.get(one.element), canvas = modeler.get('canvas'), overlays = modeler.get('overlays');
  canvas.scrollToElement(element);
  modeler.get('selection').select(element);
  for (const id of path) if (registry.get(id)) canvas.removeMarker(id, 'on-path');
  overlays.remove({ type: 'way' });
  const steps = [...new Set(one.path.length ? [...one.path, one.element] : [])].filter(id => registry.get(id)), order = new Map(steps.map((id, number) => [id, number]));
  const flows = registry.filter(each => each.waypoints && order.get(each.source?.id) < order.get(each.target?.id)).map(each => each.id);
  path = [...steps, ...flows];
  for (const id of path) canvas.addMarker(id, 'on-path');
  for (const [id, number] of order) overlays.add(id, 'way', { position: { top: -12, left: -12 }, html: node('span', 'way-step', String(number + 1)) });
  place.scrollIntoView({ block: 'nearest' });
}

// The whole diagram, beside the palette instead of under it.
function fit() {
  const canvas = modeler.get('canvas'), palette = place.querySelector('.djs-palette')?.offsetWidth ?? 0;
  const { inner, outer } = canvas.viewbox(), left = palette + 32, scale = Math.min((outer.width - left - 16) / inner.width, (outer.height - 32) / inner.height, 1);
  canvas.viewbox({ x: inner.x - left / scale, y: inner.y - 16 / scale, width: outer.width / scale, height: outer.height / scale });
}
const root = () => modeler.get('canvas').getRootElement();
modeler.on('selection.changed', ({ newSelection }) => panel.show(newSelection.length === 1 ? newSelection[0] : null));
modeler.on('commandStack.changed', () => { keeper.changed(); const chosen = modeler.get('selection').get(); panel.show(chosen.length === 1 ? chosen[0] : null); steps.draw(); });
const tools = {
  undo: () => modeler.get('commandStack').undo(), redo: () => modeler.get('commandStack').redo(), fit,
  search: () => modeler.get('searchPad').toggle(), map: () => modeler.get('minimap').toggle(),
  picture: async () => { const link = document.createElement('a'); link.href = URL.createObjectURL(new Blob([(await modeler.saveSVG()).svg], { type: 'image/svg+xml' })); link.download = `${root().id}.svg`; link.click(); },
};
place.addEventListener('click', event => tools[event.target.closest('[data-tool]')?.dataset.tool]?.());

const source = await (await fetch(place.dataset.source)).text();
await modeler.importXML(source);
fit();
panel.show(null);
steps.draw();
// Whoever draws need not wait for the gate: its sentences come when it has judged.
document.body.dataset.editorReady = '1';
performance.mark('editor-ready');
await report();
document.body.dataset.editorJudged = '1';
