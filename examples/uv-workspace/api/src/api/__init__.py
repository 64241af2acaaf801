"""Distances over HTTP."""

from core import distance
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI(title="distances")


class Points(BaseModel):
    a: list[float]
    b: list[float]


@app.post("/distance")
def of(points: Points) -> dict[str, float]:
    return {"distance": distance(points.a, points.b)}
