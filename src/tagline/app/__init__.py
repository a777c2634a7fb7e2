"""The web app: a model in the browser. Needs the extra `app`."""
