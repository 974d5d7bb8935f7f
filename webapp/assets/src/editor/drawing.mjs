// Drawing without a mouse: one command does what a drag would, makes its own room, and is one step of undo.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { selfAndAllChildren } from 'diagram-js/lib/util/Elements';
import { businessOf } from './model.mjs';

const GAP = 30;
const node = (type, event) => ({ type: `bpmn:${type}`, ...(event ? { eventDefinitionType: `bpmn:${event}EventDefinition` } : {}) });
// What can be put on a flow, by the name the editor's own words know it under.
export const STEPS = {
  'User task': node('UserTask'), 'Service task': node('ServiceTask'), 'Business rule task': node('BusinessRuleTask'), 'Call activity': node('CallActivity'),
  'Exclusive gateway': node('ExclusiveGateway'), 'Parallel gateway': node('ParallelGateway'), 'Inclusive gateway': node('InclusiveGateway'), 'Event-based gateway': node('EventBasedGateway'),
  'Timer intermediate catch event': node('IntermediateCatchEvent', 'Timer'), 'Message intermediate catch event': node('IntermediateCatchEvent', 'Message'), 'End event': node('EndEvent'),
};
export const EDGES = { 'Timer boundary event': [node('BoundaryEvent', 'Timer'), true], 'Timer boundary event (non-interrupting)': [node('BoundaryEvent', 'Timer'), false], 'Message boundary event': [node('BoundaryEvent', 'Message'), true], 'Error boundary event': [node('BoundaryEvent', 'Error'), true] };
const KIN = [['User task', 'Service task', 'Business rule task', 'Call activity'], ['Exclusive gateway', 'Parallel gateway', 'Inclusive gateway', 'Event-based gateway']];

export const flows = element => (element.outgoing ?? []).filter(one => is(one, 'bpmn:SequenceFlow'));
const right = shape => shape.x + shape.width, middle = shape => ({ x: shape.x + shape.width / 2, y: shape.y + shape.height / 2 });

export class Drawing {
  constructor(modeler, changes) { this.modeler = modeler; this.changes = changes; this.modeling = modeler.get('modeling'); this.registry = modeler.get('elementRegistry'); }

  make(facts) { return this.modeler.get('elementFactory').createShape(facts); }

  // A new element after a step or on a flow: between the two where there is one way on, beside the others where there are several.
  insert(place, facts) {
    const ways = is(place, 'bpmn:SequenceFlow') ? [place] : flows(place);
    const between = ways.length === 1 && facts.type !== 'bpmn:EndEvent' && !(is(place, 'bpmn:Gateway') && place.incoming.length <= 1) ? ways[0] : null;
    return this.changes.once(() => (between ? this.between(between, facts) : this.modeler.get('autoPlace').append(is(place, 'bpmn:SequenceFlow') ? place.source : place, this.make(facts))));
  }

  between(flow, facts) {
    const { source, target } = flow, made = this.make(facts), edge = right(source), lack = made.width + 2 * GAP - (target.x - edge);
    const onward = target.x >= edge, way = flow.waypoints, half = Math.floor(way.length / 2);
    if (onward && lack > 0) this.room(edge + 1, lack);
    const position = onward ? { x: edge + GAP + made.width / 2, y: middle(source).y } : { x: (way[half - 1].x + way[half].x) / 2, y: (way[half - 1].y + way[half].y) / 2 };
    const shape = this.modeling.createShape(made, this.free(position, made, source), source.parent);
    this.modeling.reconnectEnd(flow, shape, middle(shape));
    this.modeling.connect(shape, target);
    return shape;
  }

  // Everything to the right of x is moved away, as by the space tool.
  room(x, by) {
    const tool = this.modeler.get('spaceTool'), all = [...selfAndAllChildren(this.modeler.get('canvas').getRootElement(), true)];
    const { movingShapes, resizingShapes } = tool.calculateAdjustments(all, 'x', by, x);
    tool.makeSpace(movingShapes, resizingShapes, { x: by, y: 0 }, 'e', x);
  }

  // The place itself, or the nearest to its right where nothing stands.
  free(position, shape, ...but) {
    const x0 = position.x - shape.width / 2, y0 = position.y - shape.height / 2;
    const met = this.registry.filter(one => one.width && one !== shape && !but.includes(one) && !one.labelTarget && one.host !== shape && is(one, 'bpmn:FlowNode')
      && one.x < x0 + shape.width && right(one) > x0 && one.y < y0 + shape.height && one.y + one.height > y0);
    return met.length ? this.free({ x: Math.max(...met.map(right)) + GAP / 2 + shape.width / 2, y: position.y }, shape, ...but) : position;
  }

  attach(host, [facts, interrupting]) {
    const beside = host.attachers?.length ?? 0, position = { x: right(host) - 25 - 40 * beside, y: host.y + host.height };
    return this.changes.once(() => this.modeling.createShape(this.make({ ...facts, cancelActivity: interrupting }), position, host, { attach: true }));
  }

  // Where a flow may lead from here, by the editor's own rules.
  targets(source) { return this.registry.filter(one => is(one, 'bpmn:FlowNode') && !one.labelTarget && one !== source && !flows(source).some(way => way.target === one) && this.modeler.get('bpmnRules').canConnect(source, one)?.type === 'bpmn:SequenceFlow'); }

  connect(source, target) { return this.modeling.connect(source, target); }

  lanes(element) { return this.registry.filter(one => is(one, 'bpmn:Lane') && !one.children.some(child => is(child, 'bpmn:Lane')) && one.parent && !businessOf(element).lanes?.includes(businessOf(one))); }

  toLane(element, lane) {
    const to = this.free({ x: middle(element).x, y: middle(lane).y }, element), from = middle(element);
    this.changes.once(() => this.modeling.moveElements([element], { x: to.x - from.x, y: to.y - from.y }, element.parent));
    return element;
  }

  kinds(element) { return (KIN.find(kin => kin.some(name => STEPS[name].type === element.type)) ?? []).filter(name => STEPS[name].type !== element.type); }

  replace(element, facts) { return this.modeler.get('bpmnReplace').replaceElement(element, facts); }

  addLane(lane) { return this.modeling.addLane(lane, 'bottom'); }

  remove(element) { const before = element.incoming?.[0]?.source ?? element.source ?? element.host ?? null; this.modeling.removeElements([element]); return before; }
}
