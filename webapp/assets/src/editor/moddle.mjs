// The extension elements of our diagrams, so that the editor reads and writes them as objects instead of carrying them along blindly.
const attribute = name => ({ name, isAttr: true, type: 'String' });
export default {
  name: 'SpiffWorkflow', prefix: 'spiffworkflow', uri: 'http://spiffworkflow.org/bpmn/schema/1.0/core', xml: { tagAlias: 'lowerCase' }, associations: [],
  types: [
    { name: 'Properties', superClass: ['Element'], properties: [{ name: 'properties', type: 'Property', isMany: true }] },
    { name: 'Property', superClass: ['Element'], properties: [attribute('name'), attribute('value')] },
    { name: 'ServiceTaskOperator', superClass: ['Element'], properties: [attribute('id'), attribute('resultVariable'), { name: 'parameterList', type: 'Parameters' }] },
    { name: 'Parameters', superClass: ['Element'], properties: [{ name: 'parameters', type: 'Parameter', isMany: true }] },
    { name: 'Parameter', superClass: ['Element'], properties: [attribute('id'), attribute('type'), attribute('value')] },
    { name: 'CalledDecisionId', superClass: ['Element'], properties: [{ name: 'value', isBody: true, type: 'String' }] },
    { name: 'MessageVariable', superClass: ['Element'], properties: [{ name: 'value', isBody: true, type: 'String' }] },
  ],
};
