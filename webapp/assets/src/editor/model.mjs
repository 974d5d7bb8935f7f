// Reading and changing what officials set on an element; every change is one step of the editor's undo.
export const businessOf = element => element.businessObject;
export const extensions = element => businessOf(element).extensionElements?.values ?? [];
const propertiesOf = element => extensions(element).find(one => one.$type === 'spiffworkflow:Properties');
export const property = (element, name) => propertiesOf(element)?.properties?.find(one => one.name === name)?.value ?? '';
export const operatorOf = element => extensions(element).find(one => one.$type === 'spiffworkflow:ServiceTaskOperator');
export const parametersOf = element => operatorOf(element)?.parameterList?.parameters ?? [];
export const bodyOf = (element, type) => extensions(element).find(one => one.$type === type)?.value ?? '';

export class Changes {
  constructor(modeler) {
    this.modeling = modeler.get('modeling'); this.make = (type, facts) => modeler.get('bpmnFactory').create(type, facts); this.moddle = modeler.get('moddle'); this.root = () => modeler.getDefinitions();
    this.stack = modeler.get('commandStack');
    this.stack.registerHandler('motcua.together', class { preExecute(context) { context.made = context.act(); } });
  }

  // Several changes inside one command are one step of undo; what the act makes is handed back.
  once(act) { const context = { act }; this.stack.execute('motcua.together', context); return context.made; }

  name(element, value) { this.modeling.updateLabel(element, value); }

  attribute(element, facts) { this.modeling.updateProperties(element, facts); }

  // The extension elements with everything of one type replaced; whatever else stands there is kept as it is.
  extension(element, type, made) {
    const kept = extensions(element).filter(one => one.$type !== type), values = made ? [made, ...kept] : kept;
    const holder = this.make('bpmn:ExtensionElements', { values });
    values.forEach(one => { one.$parent = holder; });
    this.modeling.updateProperties(element, { extensionElements: values.length ? holder : undefined });
  }

  property(element, name, value) {
    const rows = (propertiesOf(element)?.properties ?? []).filter(one => one.name !== name).map(({ name, value }) => this.make('spiffworkflow:Property', { name, value }));
    if (value !== '') rows.push(this.make('spiffworkflow:Property', { name, value }));
    const made = rows.length ? this.make('spiffworkflow:Properties', { properties: rows }) : null;
    rows.forEach(one => { one.$parent = made; });
    this.extension(element, 'spiffworkflow:Properties', made);
  }

  operator(element, id, parameters, resultVariable) {
    if (!id) return this.extension(element, 'spiffworkflow:ServiceTaskOperator', null);
    const rows = Object.entries(parameters).filter(([, value]) => value !== '').map(([key, value]) => this.make('spiffworkflow:Parameter', { id: key, type: 'any', value }));
    const list = this.make('spiffworkflow:Parameters', { parameters: rows }), made = this.make('spiffworkflow:ServiceTaskOperator', { id, ...(resultVariable ? { resultVariable } : {}), parameterList: list });
    rows.forEach(one => { one.$parent = list; }); list.$parent = made;
    return this.extension(element, 'spiffworkflow:ServiceTaskOperator', made);
  }

  body(element, type, value) { this.extension(element, type, value === '' ? null : this.make(type, { value })); }

  condition(element, text) {
    this.modeling.updateProperties(element, { conditionExpression: text === '' ? undefined : this.make('bpmn:FormalExpression', { body: text }) });
  }

  // Marking a flow as default takes its condition away in the same step of undo: a default flow has none.
  makeDefault(element, on) {
    this.once(() => {
      if (on && businessOf(element).conditionExpression) this.condition(element, '');
      this.modeling.updateProperties(element.source, { default: on ? businessOf(element) : undefined });
    });
  }

  timer(element, kind, text) {
    const definition = businessOf(element).eventDefinitions[0], clear = { timeDuration: undefined, timeDate: undefined, timeCycle: undefined };
    this.modeling.updateModdleProperties(element, definition, { ...clear, [kind]: this.make('bpmn:FormalExpression', { body: text }) });
  }

  message(element, name) {
    const definitions = this.root(), known = definitions.rootElements.find(one => one.$type === 'bpmn:Message' && one.name === name);
    const message = known ?? this.make('bpmn:Message', { name });
    if (!known) { message.$parent = definitions; definitions.rootElements.push(message); }
    const holder = businessOf(element).eventDefinitions?.[0] ?? businessOf(element);
    this.modeling.updateModdleProperties(element, holder, { messageRef: message });
  }
}
