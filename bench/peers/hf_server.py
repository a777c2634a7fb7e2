"""What people write first: FastAPI around `transformers.pipeline`. python bench/peers/hf_server.py FOLDER

It prints its port on standard output, and runs until it is stopped.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main() -> None:
    """Serves."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    pipe: Any = pipeline("token-classification", model=sys.argv[1], aggregation_strategy="simple", device="cpu")
    pipe("Warm me up.")
    app = FastAPI()

    class Body(BaseModel):
        inputs: str | list[str]

    def read(body: Any) -> Any:  # not async: FastAPI runs it on a thread, as its guide has it
        found = pipe(body.inputs)
        return [{**each, "score": float(each["score"])} for each in found]

    read.__annotations__["body"] = Body
    app.post("/v1/token-classification", response_model=None)(read)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listening])


if __name__ == "__main__":
    main()
