"""Carries out a notebook from top to bottom, and fails if a cell does. With --write the notebook gets what its cells show."""

import sys
import tempfile

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
with tempfile.TemporaryDirectory() as folder:
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
pictures = sum("image/png" in output.get("data", {}) for output in outputs)
pages = sum("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs)
if not (pictures and pages):
    sys.exit(f"{path}: {pictures} pictures and {pages} plotly figures were drawn")
if sys.argv[2:] == ["--write"]:
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)
print(f"{path}: {len(outputs)} outputs, {pictures} pictures, {pages} plotly figures")
