// What can be put right by one press: the repairs that are safe for a finding of the gate, each one step of the editor's undo.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { businessOf, operatorOf, parametersOf, property } from './model.mjs';

const MOST = 4;
export class Repairs {
  constructor(modeler, changes, offers, words, said) {
    Object.assign(this, { modeler, changes, offers, words, said });
  }

  // The repairs of a finding: [words, act], none where nothing is safe.
  of(finding) {
    const element = this.modeler.get('elementRegistry').get(finding.element), find = this[finding.rule.replaceAll('-', '_')];
    return element && typeof find === 'function' && RULES.has(finding.rule) ? find.call(this, element, finding) ?? [] : [];
  }

  run(element, act) { this.changes.once(act); this.modeler.get('selection').select(element); }

  put(template, ...facts) { return facts.reduce((text, fact, place) => text.replace(`{${place}}`, fact), this.words[template]); }

  named(element) { return businessOf(element).name || businessOf(element).id; }

  // A choice needs a way for "none of these": the one without condition first, otherwise whichever the designer means.
  default_path(element) {
    if (!/(Exclusive|Inclusive)Gateway$/.test(element.type)) return this.default_idle(element);
    const ways = element.outgoing.filter(one => is(one, 'bpmn:SequenceFlow')), bare = ways.filter(one => !businessOf(one).conditionExpression);
    return (bare.length === 1 ? bare : ways).slice(0, MOST).map(way => [this.put('repair_default', this.named(way.target)), () => this.changes.makeDefault(way, true)]);
  }

  default_marked(element) { return this.default_path(element); }

  default_condition(element) { return [[this.words.repair_condition, () => this.changes.condition(element, '')]]; }

  idle_condition(element) { return [[this.words.repair_condition, () => this.changes.condition(element, '')]]; }

  default_idle(element) { return [[this.words.repair_no_default, () => this.changes.attribute(element, { default: undefined })]]; }

  default_flow(element) { return this.default_idle(element); }

  // A name people understand until somebody finds a better one: what the step does, or what is decided here.
  name_missing(element) {
    const action = property(element, 'action') || 'form', before = element.incoming[0]?.source;
    const [vi, en] = /Gateway$/.test(element.type)
      ? [this.put('repair_decided_vi', before ? this.named(before) : ''), this.put('repair_decided_en', (before && property(before, 'name_en')) || '')].map(text => text.replace(/\s*:\s*$/, ''))
      : is(element, 'bpmn:ServiceTask')
        ? (kind => [kind?.vi ?? '', kind?.en ?? ''])(this.offers.operators.find(one => one.id === operatorOf(element)?.id))
        : [this.words[`repair_step_${action}_vi`] ?? this.words.repair_step_form_vi, this.words[`repair_step_${action}_en`] ?? this.words.repair_step_form_en];
    if (!vi) return [];
    return [[this.put('repair_name', vi), () => { this.changes.name(element, vi); if (en && !property(element, 'name_en')) this.changes.property(element, 'name_en', en); }]];
  }

  // A step stands where it is drawn.
  lane_missing(element) {
    const middle = { x: element.x + element.width / 2, y: element.y + element.height / 2 };
    const inside = this.modeler.get('elementRegistry').filter(one => is(one, 'bpmn:Lane') && !one.children.some(child => is(child, 'bpmn:Lane'))
      && middle.x >= one.x && middle.x <= one.x + one.width && middle.y >= one.y && middle.y <= one.y + one.height);
    return inside.slice(0, 1).map(lane => [this.put('repair_lane', this.named(lane)), () => {
      const model = businessOf(lane);
      this.modeler.get('modeling').updateModdleProperties(lane, model, { flowNodeRef: [...(model.flowNodeRef ?? []), businessOf(element)] });
    }]);
  }

  // A lane nobody works in gets the name of one the package knows, and with it the role.
  lane_unknown(element) {
    const name = businessOf(element).lanes?.[0]?.name, registry = this.modeler.get('elementRegistry'), drawn = registry.filter(one => is(one, 'bpmn:Lane'));
    const lane = drawn.find(one => businessOf(one).name === name), taken = new Set(drawn.map(one => businessOf(one).name));
    if (!lane) return [];
    return this.offers.lanes.filter(one => !taken.has(one.id)).slice(0, MOST).map(one => [this.put('repair_role', one.id, this.said(one)), () => this.changes.name(lane, one.id)]);
  }

  form_missing(element) { return this.offers.forms.slice(0, MOST).map(one => [this.put('repair_form', one), () => this.changes.property(element, 'form', one)]); }

  form_unknown(element) { return this.form_missing(element); }

  stage_hours(element) { return [[this.words.repair_hours, () => this.changes.property(element, 'stage_hours', '8')]]; }

  document_missing(element) { return this.offers.documents.slice(0, MOST).map(one => [this.put('repair_document', this.said(one)), () => this.changes.property(element, 'document', one.id)]); }

  document_unknown(element) { return this.document_missing(element); }

  // The document itself says in which capacity it is signed.
  capacity_unknown(element) {
    const document = this.offers.documents.find(one => one.id === property(element, 'document')), known = this.offers.capacities.find(one => one.id === document?.capacity);
    return known ? [[this.put('repair_capacity', this.said(known)), () => this.changes.property(element, 'capacity', known.id)]] : [];
  }

  action_unknown(element) { return [[this.words.repair_action, () => this.changes.property(element, 'action', 'form')]]; }

  assign_unknown(element) { return [[this.words.repair_assign, () => this.changes.property(element, 'assign', '')]]; }

  parameter_unknown(element) {
    const operator = operatorOf(element), kind = this.offers.operators.find(one => one.id === operator?.id);
    if (!kind || kind.open) return [];
    const rows = parametersOf(element).filter(one => kind.required.includes(one.id) || kind.optional.includes(one.id));
    return [[this.words.repair_parameter, () => this.changes.operator(element, operator.id, Object.fromEntries(rows.map(one => [one.id, one.value])), operator.resultVariable ?? '')]];
  }
}

export const RULES = new Set([
  'default-path', 'default-marked', 'default-condition', 'idle-condition', 'default-idle', 'default-flow', 'name-missing', 'lane-missing', 'lane-unknown', 'form-missing', 'form-unknown',
  'stage-hours', 'document-missing', 'document-unknown', 'capacity-unknown', 'action-unknown', 'assign-unknown', 'parameter-unknown',
]);
