"""Training for token classification: tags on sub-tokens, strict F1 on dev."""
