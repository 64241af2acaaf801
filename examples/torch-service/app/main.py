"""A small transformer behind an HTTP interface. Its weights are random: what counts here is the size of its packages."""

import torch
from fastapi import FastAPI
from pydantic import BaseModel, Field
from transformers import BertConfig, BertModel

app = FastAPI(title="vectors")

_config = BertConfig(vocab_size=256, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)
torch.manual_seed(0)
_model = BertModel(_config).eval()


class Text(BaseModel):
    text: str = Field(min_length=1, max_length=500)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/vector")
def vector(body: Text) -> dict[str, list[float]]:
    tokens = torch.tensor([list(body.text.encode())[:500]])
    with torch.no_grad():
        states = _model(input_ids=tokens).last_hidden_state
    return {"vector": states.mean(dim=1)[0].tolist()}
