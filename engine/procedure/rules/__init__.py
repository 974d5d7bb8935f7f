"""The rules of the gate: one named function per rule, each yielding findings; all of them run, so one upload shows every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.procedure.report import Finding
from engine.procedure.rules import constructs, data_flow, decisions, expressions, gateways, outcome, steps, structure
from engine.procedure.rules.examined import Examined

Rule = Callable[[Examined], Iterator[Finding]]

STRUCTURE: tuple[Rule, ...] = (
    structure.one_process,
    structure.duplicate_id,
    structure.dangling_flow,
    structure.many_starts,
    structure.no_end,
    structure.forbidden_flows,
    structure.boundary_host,
    structure.unreachable,
    structure.automatic_cycle,
    structure.self_call,
)
"""What must hold before the state space can be walked."""

RULES: tuple[Rule, ...] = (
    constructs.unknown_construct,
    constructs.extension_broken,
    constructs.unsupported,
    constructs.script,
    constructs.event_kind,
    constructs.no_message,
    constructs.dangling_reference,
    constructs.nobody_catches,
    constructs.uncaught_error,
    constructs.event_subprocess,
    constructs.loop_count,
    constructs.mi_output,
    constructs.quantity,
    constructs.call_target,
    constructs.link_event,
    gateways.default_path,
    gateways.conditional_flow,
    gateways.idle_condition,
    gateways.event_gateway,
    gateways.mixed_gateway,
    data_flow.shared_variable,
    data_flow.reserved_name,
    data_flow.two_forms_one_variable,
    expressions.condition,
    expressions.timer,
    expressions.watched_condition,
    expressions.operator_parameter,
    expressions.loop_expression,
    expressions.declaration_expression,
    expressions.form_condition,
    steps.lane_known,
    steps.lane_idle,
    steps.name_missing,
    steps.name_in_english,
    steps.action_known,
    steps.form_exists,
    steps.form_readable,
    steps.form_in_english,
    steps.stage_hours,
    steps.stages_within_term,
    steps.document_known,
    steps.document_complete,
    steps.capacity_known,
    steps.draft_before_signing,
    steps.signature_before_issue,
    steps.same_hand,
    outcome.operator_known,
    outcome.operator_parameters,
    outcome.operator_document,
    outcome.notice_known,
    decisions.decision_readable,
    decisions.decision_known,
    outcome.supplement_answered,
    outcome.message_known,
    outcome.no_outcome,
)
