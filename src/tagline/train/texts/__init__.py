"""Training for sequence classification: labels of texts, losses, the score on dev."""
