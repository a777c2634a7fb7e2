"""From a trained model to a folder that others can use."""
