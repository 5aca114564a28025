"""As much of the official SDK as a function needs, for Pythons that cannot install it."""

import json

APP_ID = None


def init(app_id, app_key=None, master_key=None, hook_key=None):
    global APP_ID
    APP_ID = app_id


class Engine:
    class Application:
        def __init__(self):
            self.cloud_codes = {}

    def __init__(self, wsgi_app=None):
        self.origin_app = wsgi_app
        self.app = self.Application()

    def define(self, function):
        self.app.cloud_codes[function.__name__] = function
        return function

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith("/1.1/functions/"):
            return self.origin_app(environ, start_response)
        name = path.rpartition("/")[2]
        if name == "metadatas":
            result = list(self.app.cloud_codes)
        else:
            params = json.loads(environ["wsgi.input"].read().decode("utf-8"))
            result = self.app.cloud_codes[name](**params)
        headers = [("Content-Type", "application/json")]
        headers.append(("Access-Control-Allow-Headers", "X-LC-Hook-Key"))
        start_response("200 OK", headers)
        return [json.dumps({"result": result}).encode("utf-8")]
