"""Between formats of annotated text: one file a format, and what the target cannot hold said place by place."""
