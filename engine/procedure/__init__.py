"""The package of a procedure in bpmn/: load, normalise, check, compare, publish."""
