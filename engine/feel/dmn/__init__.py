"""Decision models (DMN 1.3, files of the editions 1.1 to 1.5): read, evaluate with a trace, analyse."""
