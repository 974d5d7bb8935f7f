// The properties panel: only what officials set, in their words. Built as nodes; texts of a diagram are strangers' input.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { spoken } from './words.mjs';
import { bodyOf, businessOf, operatorOf, parametersOf, property } from './model.mjs';

export class Panel {
  constructor(place, modeler, changes, offers, words, language) { Object.assign(this, { place, changes, offers, words, language }); this.modeler = modeler; this.shown = null; }

  node(tag, facts = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(facts)) if (value === true) made.setAttribute(key, ''); else if (value !== false && value != null) made.setAttribute(key, value);
    made.append(...children.filter(child => child != null));
    return made;
  }

  // One labelled control that changes the diagram when it is left, or at once for choices.
  field(key, label, control, hint) {
    const id = `panel-${key}`;
    control.id = id;
    if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
    return this.node('div', { class: 'field' }, this.node('label', { for: id }, label), hint ? this.node('div', { class: 'hint', id: `${id}-hint` }, hint) : null, control);
  }

  text(key, label, value, change, { hint, rows, kind = 'text', code = false, list } = {}) {
    const control = rows ? this.node('textarea', { class: `form-control${code ? ' source' : ''}`, rows }) : this.node('input', { class: `form-control${code ? ' source' : ''}`, type: kind, list });
    control.value = value;
    control.addEventListener('change', () => change(control.value.trim()));
    return this.field(key, label, control, hint);
  }

  choice(key, label, value, options, change, hint) {
    const control = this.node('select', { class: 'form-select' });
    const known = options.some(([one]) => one === value);
    for (const [one, said] of [['', this.words.none], ...(value && !known ? [[value, `${value} (?)`]] : []), ...options]) control.append(this.node('option', { value: one, selected: one === value }, said));
    control.addEventListener('change', () => change(control.value));
    return this.field(key, label, control, hint);
  }

  tick(key, label, on, change) {
    const control = this.node('input', { class: 'form-check-input', type: 'checkbox', id: `panel-${key}` });
    control.checked = on;
    control.addEventListener('change', () => change(control.checked));
    return this.node('div', { class: 'field' }, this.node('div', { class: 'form-check' }, control, this.node('label', { class: 'form-check-label', for: `panel-${key}` }, label)));
  }

  said(one) { return spoken(this.language, one); }

  show(element) {
    const focus = document.activeElement?.id, w = this.words;
    this.shown = element;
    this.place.replaceChildren(...(element ? this.fields(element) : [this.node('p', { class: 'secondary' }, w.nothing)]));
    if (focus && this.place.querySelector(`#${CSS.escape(focus)}`)) this.place.querySelector(`#${CSS.escape(focus)}`).focus();
  }

  fields(element) {
    const w = this.words, c = this.changes, bo = businessOf(element), own = name => property(element, name), set = name => value => c.property(element, name, value);
    const made = [this.node('h2', { id: 'panel-title', tabindex: -1 }, this.modeler.get('translate')(this.kind(element))), this.node('p', { class: 'secondary', translate: 'no' }, bo.id)];
    if (element.type !== 'bpmn:Process' && element.type !== 'bpmn:Collaboration') {
      if (is(element, 'bpmn:Lane')) made.push(...this.lane(element)); else made.push(this.text('name', w.name, bo.name ?? bo.text ?? '', value => c.name(element, value)));
      if (!is(element, 'bpmn:Lane') && !is(element, 'bpmn:TextAnnotation') && !is(element, 'bpmn:Participant')) made.push(this.text('name_en', w.name_en, own('name_en'), set('name_en')));
    }
    if (is(element, 'bpmn:UserTask') || is(element, 'bpmn:ManualTask') || element.type === 'bpmn:Task') made.push(...this.step(element, own, set));
    if (is(element, 'bpmn:ServiceTask') || is(element, 'bpmn:SendTask')) made.push(...this.operator(element));
    if (is(element, 'bpmn:BusinessRuleTask')) made.push(this.choice('decision', w.decision, bodyOf(element, 'spiffworkflow:CalledDecisionId'), this.offers.decisions.map(one => [one, one]), value => c.body(element, 'spiffworkflow:CalledDecisionId', value)));
    if (is(element, 'bpmn:CallActivity')) made.push(this.text('calledElement', w.calledElement, bo.calledElement ?? '', value => c.attribute(element, { calledElement: value || undefined })));
    if (is(element, 'bpmn:SequenceFlow')) made.push(...this.flow(element));
    made.push(...this.event(element), this.acts?.of(element) ?? '');
    return made;
  }

  kind(element) {
    const definition = businessOf(element).eventDefinitions?.[0]?.$type.replace(/^bpmn:|EventDefinition$/g, '');
    const words = element.type.replace('bpmn:', '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().replace('sub process', 'sub-process').replace('intermediate ', definition ? 'intermediate ' : 'intermediate ');
    const name = definition ? `${definition} ${words}` : words;
    return name[0].toUpperCase() + name.slice(1).toLowerCase();
  }

  lane(element) {
    const name = businessOf(element).name ?? '', known = this.offers.lanes.find(one => one.id === name);
    return [
      this.choice('name', this.words.lane, name, this.offers.lanes.map(one => [one.id, one.id]), value => this.changes.name(element, value), known ? `${this.said(known)} · ${known.unit}` : this.words.unknown_lane),
    ];
  }

  step(element, own, set) {
    const w = this.words, o = this.offers, action = own('action');
    const lane = businessOf(element).lanes?.[0]?.name, role = o.lanes.find(one => one.id === lane);
    const made = [
      this.node('p', { class: 'secondary' }, `${w.role}: ${role ? this.said(role) : lane ?? w.none}`),
      this.choice('action', w.action, action, [['form', w.form_action], ['sign', w.sign], ['issue', w.issue], ['return_result', w.return_result]], set('action')),
      this.choice('form', w.form, own('form'), o.forms.map(one => [one, one]), set('form')),
      this.text('variable', w.variable, own('variable'), set('variable'), { code: true }),
      this.text('stage_hours', w.stage_hours, own('stage_hours'), set('stage_hours'), { kind: 'text' }),
    ];
    if (action === 'sign' || action === 'issue') made.push(this.choice('document', w.document, own('document'), o.documents.map(one => [one.id, this.said(one)]), set('document')));
    if (action === 'sign') made.push(this.choice('capacity', w.capacity, own('capacity'), o.capacities.map(one => [one.id, this.said(one)]), set('capacity')));
    made.push(this.tick('assign', w.assign, own('assign') === 'initiator', on => set('assign')(on ? 'initiator' : '')));
    made.push(this.text('instructions', w.instructions, own('instructions'), set('instructions'), { rows: 4 }), this.text('instructions_en', w.instructions_en, own('instructions_en'), set('instructions_en'), { rows: 3 }));
    return made;
  }

  operator(element) {
    const w = this.words, operator = operatorOf(element), id = operator?.id ?? '', kind = this.offers.operators.find(one => one.id === id);
    const values = Object.fromEntries(parametersOf(element).map(one => [one.id, one.value]));
    const change = (parameters, result = operator?.resultVariable ?? '') => this.changes.operator(element, id, parameters, result);
    const made = [this.choice('operator', w.operator, id, this.offers.operators.map(one => [one.id, this.said(one)]), value => this.changes.operator(element, value, values, operator?.resultVariable ?? ''))];
    if (!operator) return made;
    const names = [...new Set([...(kind?.required ?? []), ...(kind?.optional ?? []), ...Object.keys(values)])];
    if (names.length) made.push(this.node('h3', {}, w.parameters));
    for (const name of names) made.push(this.text(`parameter-${name}`, kind?.required.includes(name) ? `${name} (${w.required})` : name, values[name] ?? '', value => change({ ...values, [name]: value }), { code: true }));
    if (kind?.open) made.push(this.text('parameter-new', w.add, '', value => value && change({ ...values, [value]: 'null' }), { code: true }));
    made.push(this.text('result', w.result, operator.resultVariable ?? '', value => change(values, value), { code: true }));
    return made;
  }

  flow(element) {
    const w = this.words, bo = businessOf(element), branching = /Gateway$/.test(element.source?.type ?? '') && !is(element.source, 'bpmn:ParallelGateway') && !is(element.source, 'bpmn:EventBasedGateway');
    if (!branching && !bo.conditionExpression) return [];
    const made = [], isDefault = businessOf(element.source).default === bo;
    if (!isDefault) made.push(this.text('condition', w.condition, bo.conditionExpression?.body ?? '', value => this.changes.condition(element, value), { rows: 3, code: true, hint: w.hint_condition }));
    if (branching) made.push(this.tick('default', w.default, isDefault, on => this.changes.makeDefault(element, on)));
    return made;
  }

  event(element) {
    const w = this.words, bo = businessOf(element), definition = bo.eventDefinitions?.[0];
    if (definition?.$type === 'bpmn:TimerEventDefinition') {
      const kind = ['timeDuration', 'timeDate', 'timeCycle'].find(one => definition[one]) ?? 'timeDuration', text = definition[kind]?.body ?? '';
      return [
        this.choice('timer_kind', w.timer_kind, kind, ['timeDuration', 'timeDate', 'timeCycle'].map(one => [one, w[one]]), value => this.changes.timer(element, value || 'timeDuration', text)),
        this.text('timer', w.timer, text, value => this.changes.timer(element, kind, value), { code: true, hint: w.hint_timer }),
      ];
    }
    if (definition?.$type === 'bpmn:MessageEventDefinition' || is(element, 'bpmn:ReceiveTask')) {
      return [this.text('message', w.message, (definition ?? bo).messageRef?.name ?? '', value => value && this.changes.message(element, value), { code: true })];
    }
    return [];
  }
}
