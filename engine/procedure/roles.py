"""The roles a lane may name (``NĐ 118/2025/NĐ-CP, NĐ 30/2020/NĐ-CP for who works with dossiers and documents)."""

from __future__ import annotations

ROLES = (
    "agency_clerk", "unit_clerk", "agency_leader", "head", "deputy_head", "office_chief", "office_deputy", "division_head",
    "division_deputy", "specialist", "reception_officer", "return_officer", "cashier", "centre_leader", "coordinating_agency",
    "tax_authority", "procedure_controller", "procedure_designer", "procedure_approver", "technical_administrator", "inspector",
    "citizen", "representative", "assistant", "any", "initiator",
)  # fmt: skip
