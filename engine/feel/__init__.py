"""The expression language of DMN (FEEL): parse, check, compile, evaluate. A leaf: imports nothing else of ours."""
