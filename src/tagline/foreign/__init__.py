"""Models that Tagline did not train: turned once into folders that its engines run, and kept in the user's cache."""
