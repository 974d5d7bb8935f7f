// What can be done to the diagram at the chosen element by commands instead of a mouse; they stand in the panel, folded until somebody wants them.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { EDGES, STEPS, flows } from './drawing.mjs';
import { businessOf } from './model.mjs';

export class Acts {
  constructor(panel, drawing, steps, words, translate) { Object.assign(this, { panel, drawing, steps, words, translate, opened: false }); }

  named(element) { return businessOf(element).name || businessOf(element).id; }

  // A choice with its button: nothing happens while somebody looks through the choices.
  choice(key, label, button, options, act) {
    const { node } = this.panel, made = node('select', { class: 'form-select', id: `act-${key}` }, ...options.map(([value, text]) => node('option', { value }, text)));
    const press = node('button', { class: 'btn btn-outline btn-sm', type: 'button', id: `do-${key}` }, button);
    press.addEventListener('click', () => this.done(key, made.selectedOptions[0].textContent, act(made.value)));
    return node('div', { class: 'field' }, node('label', { for: made.id }, label), node('div', { class: 'inline-form' }, made, press));
  }

  // What was made is chosen, said, and ready to be named.
  done(key, what, made) {
    const w = this.words;
    if (made) this.steps.choose(made);
    this.steps.say([w[`said_${key}`] ?? w.said_done, what].filter(Boolean).join(': '));
    (document.getElementById(key === 'insert' || key === 'attach' ? 'panel-name' : 'panel-title') ?? document.getElementById('steps')).focus();
  }

  remove(element) {
    const before = this.drawing.remove(element), name = this.named(element);
    this.steps.choose(before);
    this.steps.say(`${this.words.said_remove}: ${name}`);
    this.steps.place.focus();
  }

  of(element) {
    const { node } = this.panel, w = this.words, d = this.drawing, t = name => this.translate(name), names = list => list.map(name => [name, t(name)]), made = [];
    const flow = is(element, 'bpmn:SequenceFlow'), step = is(element, 'bpmn:FlowNode') && !element.labelTarget;
    if (flow || (step && !is(element, 'bpmn:EndEvent'))) made.push(this.choice('insert', flow ? w.act_on_flow : flows(element).length > 1 ? w.act_branch : w.act_insert, w.act_add, names(Object.keys(STEPS)), name => d.insert(element, STEPS[name])));
    if (step) {
      const targets = d.targets(element), lanes = d.lanes(element), kinds = d.kinds(element);
      if (targets.length) made.push(this.choice('connect', w.act_connect, w.act_join, targets.map(one => [one.id, this.steps.tell(one)]), id => d.connect(element, this.steps.element(id))));
      if (is(element, 'bpmn:Activity')) made.push(this.choice('attach', w.act_attach, w.act_add, names(Object.keys(EDGES)), name => d.attach(element, EDGES[name])));
      if (kinds.length) made.push(this.choice('replace', w.act_replace, w.act_change, names(kinds), name => d.replace(element, STEPS[name])));
      if (lanes.length && !element.host) made.push(this.choice('lane', w.act_lane, w.act_move, lanes.map(one => [one.id, this.named(one)]), id => d.toLane(element, this.steps.element(id))));
    }
    if (is(element, 'bpmn:Lane')) { const add = node('button', { class: 'btn btn-outline btn-sm', type: 'button', id: 'do-add-lane' }, w.act_add_lane); add.addEventListener('click', () => this.done('add_lane', '', d.addLane(element))); made.push(add); }
    if (flow || step || is(element, 'bpmn:Lane') || is(element, 'bpmn:TextAnnotation')) {
      const away = node('button', { class: 'btn btn-outline btn-sm', type: 'button', id: 'do-remove' }, w.act_remove);
      away.addEventListener('click', () => this.remove(element));
      made.push(node('div', { class: 'button-row' }, away));
    }
    if (!made.length) return null;
    const folded = node('details', { class: 'acts', open: this.opened }, node('summary', {}, w.acts), ...made);
    folded.addEventListener('toggle', () => { this.opened = folded.open; });
    return folded;
  }
}
