"""Advances BPMN instances from wait state to wait state; the only importer of SpiffWorkflow."""
