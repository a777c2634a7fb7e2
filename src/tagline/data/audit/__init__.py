"""What is wrong or worth knowing in annotated files, each finding with its place, its reason and what to do."""
