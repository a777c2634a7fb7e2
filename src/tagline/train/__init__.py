"""Fine-tuning: settings, preparation of the data, and the fit on the Hugging Face Trainer."""
