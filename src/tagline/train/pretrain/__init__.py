"""A masked language model from plain text: tokenizer, blocks of text, the fit, a folder for `--encoder`."""
