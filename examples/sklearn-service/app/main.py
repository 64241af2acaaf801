"""A small model behind an HTTP interface: what flower is this?"""

from fastapi import FastAPI
from pydantic import BaseModel, Field
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
import pandas as pd

app = FastAPI(title="iris")

_data = load_iris(as_frame=True)
_model = RandomForestClassifier(n_estimators=20, random_state=0).fit(_data.data, _data.target)


class Flower(BaseModel):
    """Measures in centimetres, in the order of the data set."""

    measures: list[float] = Field(min_length=4, max_length=4)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/predict")
def predict(flower: Flower) -> dict[str, str]:
    row = pd.DataFrame([flower.measures], columns=_data.data.columns)
    return {"species": str(_data.target_names[_model.predict(row)[0]])}
