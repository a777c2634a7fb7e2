"""The search for good settings: ranges, trials, a study that lasts, a picture of it."""
