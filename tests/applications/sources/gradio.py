import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio
from fastapi import FastAPI

demo = gradio.Interface(lambda name: f"Hello {name}", "text", "text")
app = gradio.mount_gradio_app(FastAPI(), demo, path="/ui")
