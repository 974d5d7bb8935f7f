"""What may stand in a file of DMN 1.1 to 1.5: every element with its attributes and children, as the schemas of the editions list them.

A misspelt ``hitpolicy`` or a rule outside its table would otherwise be passed over without a word and mean something else than its author
wrote. Attributes and elements of other namespaces belong to the tools that wrote them and are no part of the logic.
"""

from __future__ import annotations

from engine.feel.dmn.xml import Element, attribute, is_feel, kind, refuse

_BOXES = "literalExpression decisionTable context list relation invocation functionDefinition conditional filter for some every"

_WORDS: dict[str, tuple[str, str]] = {
    "definitions": (
        "name namespace expressionLanguage typeLanguage exporter exporterVersion",
        "import itemDefinition decision inputData businessKnowledgeModel decisionService knowledgeSource artifact group textAnnotation "
        "association elementCollection performanceIndicator organizationUnit businessContextElement",
    ),
    "import": ("name namespace importType locationURI", ""),
    "itemDefinition": ("name typeLanguage isCollection", "typeRef allowedValues typeConstraint itemComponent functionItem"),
    "functionItem": ("outputTypeRef", "parameters"),
    "parameters": ("name typeRef", "typeRef"),
    "allowedValues": ("expressionLanguage", "text"),
    "inputData": ("name href", "variable"),
    "decision": (
        "name",
        "variable informationRequirement knowledgeRequirement authorityRequirement question allowedAnswers supportedObjective "
        f"impactedPerformanceIndicator decisionMaker decisionOwner usingProcess usingTask {_BOXES}",
    ),
    "businessKnowledgeModel": ("name", f"variable knowledgeRequirement authorityRequirement encapsulatedLogic {_BOXES}"),
    "decisionService": ("name", "variable outputDecision encapsulatedDecision inputDecision inputData"),
    "variable": ("name typeRef", "typeRef"),
    "informationRequirement": ("", "requiredDecision requiredInput"),
    "knowledgeRequirement": ("", "requiredKnowledge"),
    "requiredDecision": ("href", ""),
    "literalExpression": ("expressionLanguage", "text typeRef importedValues"),
    "importedValues": ("name namespace importType locationURI expressionLanguage", "importedElement"),
    "decisionTable": ("hitPolicy aggregation preferredOrientation outputLabel", "input output annotation rule"),
    "input": ("", "inputExpression inputValues"),
    "output": ("name", "outputValues defaultOutputEntry"),
    "annotation": ("name", ""),
    "rule": ("", "inputEntry outputEntry annotationEntry"),
    "annotationEntry": ("", "text"),
    "context": ("", "contextEntry"),
    "contextEntry": ("", f"variable {_BOXES}"),
    "invocation": ("", f"binding {_BOXES}"),
    "binding": ("", f"parameter {_BOXES}"),
    "functionDefinition": ("kind", f"formalParameter {_BOXES}"),
    "list": ("", _BOXES),
    "relation": ("", "column row"),
    "conditional": ("", "if then else"),
    "filter": ("", "in match"),
    "for": ("iteratorVariable", "in return"),
    "some": ("iteratorVariable", "in satisfies"),
    "if": ("", _BOXES),
    "text": ("", ""),
}
_SAME = {
    "itemDefinition": "itemComponent",
    "variable": "parameter formalParameter column",
    "requiredDecision": "requiredInput requiredKnowledge outputDecision encapsulatedDecision inputDecision",
    "literalExpression": "inputExpression outputEntry defaultOutputEntry",
    "allowedValues": "typeConstraint inputValues outputValues inputEntry",
    "functionDefinition": "encapsulatedLogic",
    "list": "row",
    "some": "every",
    "if": "then else in match return satisfies",
}
_COMMON = frozenset(["id", "label", "typeRef"])
ATTRIBUTES: dict[str, frozenset[str]] = {}
CHILDREN: dict[str, frozenset[str]] = {}
for _name, (_attributes, _children) in _WORDS.items():
    for _alias in (_name, *_SAME.get(_name, "").split()):
        ATTRIBUTES[_alias] = _COMMON.union(_attributes.split())
        CHILDREN[_alias] = frozenset(_children.split()) | {"description", "extensionElements"}


def check_words(root: Element) -> None:
    """Refuse what the standard does not have in its place.

    Raises:
        FeelError: ``decision.unsupported`` or ``decision.attribute`` at the first such element, ``decision.language`` for an expression
            or type language other than FEEL.
    """
    waiting = [root]
    while waiting:
        part = waiting.pop()
        name = kind(part)
        unknown = [key for key in part.attrib if not str(key).startswith("{") and key not in ATTRIBUTES[name]]
        if unknown:
            raise refuse("decision.attribute", part, attribute=str(unknown[0])[:60], kind=name)
        for language in (attribute(part, "expressionLanguage"), attribute(part, "typeLanguage")):
            if not is_feel(language):
                raise refuse("decision.language", part, language=language[:80])
        allowed = CHILDREN[name]
        for inner in reversed(part):
            inside = kind(inner)
            if inside and inside not in allowed:
                raise refuse("decision.unsupported", inner, kind=inside)
            if inside in ATTRIBUTES:
                waiting.append(inner)
