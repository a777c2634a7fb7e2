"""Training steps on a processor that cost less: flat batches, one pass of our own through each layer."""
