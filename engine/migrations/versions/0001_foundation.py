"""Foundation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="folded to lower case"),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True, comment="Argon2; None: no sign-in by password"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False, comment="changes end all sessions"),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False, comment="staff | citizen"),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False, comment="may be signed in to by one click in demo mode"),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tf_primary_method", sa.Text(), nullable=True),
        sa.Column("tf_totp_secret", sa.Text(), nullable=True),
        sa.Column("tf_phone_number", sa.Text(), nullable=True),
        sa.Column("mf_recovery_codes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("fs_webauthn_user_handle", sa.Text(), nullable=True),
        sa.Column("create_datetime", sa.DateTime(timezone=True), nullable=True),
        sa.Column("update_datetime", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("login_count", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_account_fs_uniquifier")),
        sa.UniqueConstraint("fs_webauthn_user_handle", name=op.f("uq_account_fs_webauthn_user_handle")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_table(
        "account_role_name",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_role_name")),
        sa.UniqueConstraint("name", name=op.f("uq_account_role_name_name")),
    )
    op.create_table(
        "answered_request",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="fingerprint of what was asked; empty when none was given"),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("province", "key", name=op.f("pk_answered_request")),
    )
    op.create_table(
        "code_sequence",
        sa.Column("agency_code", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_code_sequence")),
        sa.UniqueConstraint("province", "agency_code", "on", name=op.f("uq_code_sequence_province_agency_code_on")),
    )
    op.create_table(
        "demo_clock",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_demo_clock")),
    )
    op.create_table(
        "dossier",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("procedure_key", sa.String(), nullable=False),
        sa.Column("procedure_version_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("financial_status", sa.String(), nullable=False),
        sa.Column("delivery_status", sa.String(), nullable=False),
        sa.Column("sync_status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("support_unit_id", sa.Uuid(), nullable=True),
        sa.Column("reception_unit_id", sa.Uuid(), nullable=False),
        sa.Column("deciding_unit_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=True),
        sa.Column("initiator_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("term", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("original_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("access_hash", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple'::regconfig, folded)", persisted=True), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_dossier")),
        sa.UniqueConstraint("province", "code", name=op.f("uq_dossier_province_code")),
    )
    op.create_index("ix_dossier_open_due", "dossier", ["province", "due_at"], unique=False, postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("ix_dossier_status", "dossier", ["province", "status", "received_at"], unique=False)
    op.create_index("ix_dossier_words", "dossier", ["words"], unique=False, postgresql_using="gin", postgresql_with={"fastupdate": "off"})
    op.create_table(
        "due",
        sa.Column("dossier", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="timer | term | stage | notice …"),
        sa.Column(
            "ref", sa.Text(), nullable=False, comment="which one of its kind: a timer's key, a task's id; empty when there is only one"
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_due")),
        sa.UniqueConstraint("province", "dossier", "kind", "ref", name=op.f("uq_due_province_dossier_kind_ref")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_due_open", "due", ["province", "due_at"], unique=False, postgresql_where="fired_at is null")
    op.create_table(
        "incident",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dossier", sa.Uuid(), nullable=True),
        sa.Column("message", sa.Uuid(), nullable=True, comment="the outbox message that could not be delivered"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True, comment="account"),
        sa.Column("resolution", sa.Text(), nullable=True, comment="retried | settled"),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_incident")),
    )
    op.create_index(
        op.f("ix_incident_province_opened_at"), "incident", ["province", "opened_at"], unique=False, postgresql_where="resolved_at is null"
    )
    op.create_table(
        "journal_head",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), server_default="0", nullable=False, comment="number of the last line under a daily seal"),
        sa.PrimaryKeyConstraint("province", "chain", name=op.f("pk_journal_head")),
    )
    op.create_index("ix_journal_head_unsealed", "journal_head", ["province"], unique=False, postgresql_where="number > sealed")
    op.create_table(
        "journal_line",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("province", "chain", "number", name=op.f("pk_journal_line")),
    )
    op.create_index(op.f("ix_journal_line_province_at"), "journal_line", ["province", "at"], unique=False)
    op.create_table(
        "journal_seal",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("province", "number", name=op.f("pk_journal_seal")),
    )
    op.create_table(
        "journal_seal_leaf",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("province", "seal", "chain", name=op.f("pk_journal_seal_leaf")),
    )
    op.create_table(
        "journal_token",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("province", "seal", name=op.f("pk_journal_token")),
    )
    op.create_table(
        "org_unit",
        sa.Column("agency_code", sa.String(), nullable=False),
        sa.Column("old_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("short_name", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("place_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("level IN ('province', 'department', 'commune', 'division', 'centre')", name=op.f("ck_org_unit_level")),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_org_unit_parent")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_org_unit_period")),
        sa.ForeignKeyConstraint(
            ["province", "parent_id"], ["org_unit.province", "org_unit.id"], name=op.f("fk_org_unit_province_parent_id")
        ),
        sa.ForeignKeyConstraint(
            ["province", "successor_id"], ["org_unit.province", "org_unit.id"], name=op.f("fk_org_unit_province_successor_id")
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_org_unit")),
        sa.UniqueConstraint("province", "agency_code", "valid_from", name=op.f("uq_org_unit_province_agency_code_valid_from")),
    )
    op.create_index("ix_org_unit_parent", "org_unit", ["province", "parent_id"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("key", sa.Text(), nullable=False, comment="what makes the promise one; receivers know it too"),
        sa.Column("kind", sa.Text(), nullable=False, comment="chooses the connector"),
        sa.Column("dossier", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting | delivered | failed | withdrawn"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True, comment="when it was last given a job"),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="what the receiver answered"),
        sa.Column("incident", sa.Uuid(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("province", "key", name=op.f("uq_outbox_message_province_key")),
    )
    op.create_index(op.f("ix_outbox_message_province_dossier"), "outbox_message", ["province", "dossier"], unique=False)
    op.create_index(
        op.f("ix_outbox_message_province_not_before"),
        "outbox_message",
        ["province", "not_before"],
        unique=False,
        postgresql_where="state = 'waiting' and queued_at is null",
    )
    op.create_table(
        "person",
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(collation="C"), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("province", "account_id", name=op.f("uq_person_province_account_id")),
    )
    op.create_index("ix_person_sort_key", "person", ["province", "sort_key"], unique=False)
    op.create_table(
        "procedure_version",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("drawing_number", sa.Integer(), nullable=False),
        sa.Column("name_vi", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("drawing_hash", sa.String(length=64), nullable=False),
        sa.Column("package", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_procedure_version")),
        sa.UniqueConstraint(
            "province", "key", "number", "drawing_number", name=op.f("uq_procedure_version_province_key_number_drawing_number")
        ),
    )
    op.create_index("ix_procedure_version_in_force", "procedure_version", ["province", "key", "effective_from"], unique=False)
    op.create_table(
        "register",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_register")),
        sa.UniqueConstraint("province", "unit_id", "kind", "year", name=op.f("uq_register_province_unit_id_kind_year")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("subject", sa.Text(), nullable=False, comment="keyed hash of account name or address; never the plain text"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "signing_key",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_signing_key")),
        sa.UniqueConstraint("province", "reference", name=op.f("uq_signing_key_province_reference")),
    )
    op.create_table(
        "access_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what the owner calls it"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_access_token_account"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_token_hash")),
    )
    op.create_index(op.f("ix_access_token_account"), "access_token", ["account"], unique=False)
    op.create_table(
        "account_preference",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=True),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_account_preference_account"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_preference")),
    )
    op.create_table(
        "account_role",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_account_role_account"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role"], ["account_role_name.id"], name=op.f("fk_account_role_role"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "role", name=op.f("pk_account_role")),
    )
    op.create_table(
        "document",
        sa.Column("dossier_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("symbol", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.String(), nullable=True),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("capacity", sa.String(), nullable=True),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=True),
        sa.Column("signer_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_document_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_document")),
        sa.UniqueConstraint("province", "public_id", name=op.f("uq_document_province_public_id")),
    )
    op.create_index("ix_document_dossier", "document", ["province", "dossier_id", "created_at"], unique=False)
    op.create_index("ix_document_sha256", "document", ["province", "sha256"], unique=False)
    op.create_table(
        "dossier_component",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_dossier_component_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_dossier_component")),
        sa.UniqueConstraint("province", "dossier_id", "key", name=op.f("uq_dossier_component_province_dossier_id_key")),
    )
    op.create_table(
        "due_change",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_due_change_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_due_change")),
    )
    op.create_index("ix_due_change_dossier", "due_change", ["province", "dossier_id", "at"], unique=False)
    op.create_table(
        "fee_due",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("receipt_number", sa.Integer(), nullable=True),
        sa.Column("cashier_id", sa.Uuid(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_fee_due_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_fee_due")),
    )
    op.create_table(
        "handover",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("step", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("from_person_id", sa.Uuid(), nullable=True),
        sa.Column("from_unit_id", sa.Uuid(), nullable=True),
        sa.Column("to_unit_id", sa.Uuid(), nullable=True),
        sa.Column("to_person_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_handover_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_handover")),
    )
    op.create_index("ix_handover_dossier", "handover", ["province", "dossier_id", "at"], unique=False)
    op.create_table(
        "instance",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("procedure_version_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("waiting", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_instance_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_instance")),
        sa.UniqueConstraint("province", "dossier_id", name=op.f("uq_instance_province_dossier_id")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "party",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("identity_index", sa.LargeBinary(), nullable=True),
        sa.Column("birth_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_party_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_party")),
        sa.UniqueConstraint("province", "dossier_id", "kind", name=op.f("uq_party_province_dossier_id_kind")),
    )
    op.create_index("ix_party_identity", "party", ["province", "identity_index"], unique=False)
    op.create_table(
        "position",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["province", "unit_id"], ["org_unit.province", "org_unit.id"], name=op.f("fk_position_province_unit_id")),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_position")),
    )
    op.create_index("ix_position_unit", "position", ["province", "unit_id", "role"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("register_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "register_id"],
            ["register.province", "register.id"],
            name=op.f("fk_register_entry_province_register_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("province", "register_id", "number", name=op.f("uq_register_entry_province_register_id_number")),
    )
    op.create_index("ix_register_entry_document", "register_entry", ["province", "document_id"], unique=False)
    op.create_table(
        "stored_file",
        sa.Column("dossier_id", sa.Uuid(), nullable=True),
        sa.Column("component", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.String(), nullable=False),
        sa.Column("upload_key", sa.String(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_stored_file_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_stored_file")),
    )
    op.create_index("ix_stored_file_dossier", "stored_file", ["province", "dossier_id"], unique=False)
    op.create_index(
        "ix_stored_file_upload", "stored_file", ["province", "upload_key"], unique=False, postgresql_where=sa.text("dossier_id IS NULL")
    )
    op.create_table(
        "suspension",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_suspension_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_suspension")),
    )
    op.create_index("ix_suspension_dossier", "suspension", ["province", "dossier_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("acting", sa.Boolean(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_appointment_period")),
        sa.ForeignKeyConstraint(
            ["province", "person_id"], ["person.province", "person.id"], name=op.f("fk_appointment_province_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["province", "position_id"], ["position.province", "position.id"], name=op.f("fk_appointment_province_position_id")
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_appointment")),
        sa.UniqueConstraint(
            "province", "person_id", "position_id", "valid_from", name=op.f("uq_appointment_province_person_id_position_id_valid_from")
        ),
    )
    op.create_index("ix_appointment_person", "appointment", ["province", "person_id"], unique=False)
    op.create_index("ix_appointment_position", "appointment", ["province", "position_id"], unique=False)
    op.create_table(
        "document_revision",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "document_id"],
            ["document.province", "document.id"],
            name=op.f("fk_document_revision_province_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_document_revision")),
        sa.UniqueConstraint("province", "document_id", "position", name=op.f("uq_document_revision_province_document_id_position")),
    )
    op.create_table(
        "signature_request",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("signer_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("capacity", sa.String(), nullable=True),
        sa.Column("basis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("prepared", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("ceremony", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "document_id"],
            ["document.province", "document.id"],
            name=op.f("fk_signature_request_province_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_signature_request")),
    )
    op.create_index(
        "ix_signature_request_live",
        "signature_request",
        ["province", "document_id"],
        unique=True,
        postgresql_where=sa.text("state = 'prepared'"),
    )
    op.create_table(
        "task",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("engine_task", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_how", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("draft_version", sa.Integer(), nullable=False),
        sa.Column("draft_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draft_by_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("before_state", sa.LargeBinary(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"], ["dossier.province", "dossier.id"], name=op.f("fk_task_province_dossier_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["province", "instance_id"], ["instance.province", "instance.id"], name=op.f("fk_task_province_instance_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_task")),
        sa.UniqueConstraint("province", "instance_id", "engine_task", "round", name=op.f("uq_task_province_instance_id_engine_task_round")),
    )
    op.create_index("ix_task_assignee", "task", ["province", "assignee_id"], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index("ix_task_dossier", "task", ["province", "dossier_id", "opened_at"], unique=False)
    op.create_index("ix_task_open", "task", ["province", "unit_id", "due_at"], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "delegation",
        sa.Column("delegator_id", sa.Uuid(), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.String(), nullable=False),
        sa.Column("scope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("basis <> ''", name=op.f("ck_delegation_basis")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_delegation_period")),
        sa.ForeignKeyConstraint(
            ["province", "delegate_id"], ["person.province", "person.id"], name=op.f("fk_delegation_province_delegate_id")
        ),
        sa.ForeignKeyConstraint(
            ["province", "delegator_id"], ["appointment.province", "appointment.id"], name=op.f("fk_delegation_province_delegator_id")
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_delegate", "delegation", ["province", "delegate_id", "ends_at"], unique=False)
