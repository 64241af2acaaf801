"""A sum behind an HTTP interface: small enough that a whole benchmark of it takes minutes."""

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def total(request: Request) -> JSONResponse:
    return JSONResponse({"sum": float(np.sum(await request.json()))})


app = Starlette(routes=[Route("/sum", total, methods=["POST"])])
