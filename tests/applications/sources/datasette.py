from datasette.app import Datasette

app = Datasette(memory=True, settings={"base_url": "/shop/"}).app()
