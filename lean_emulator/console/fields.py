"""What a post brought: the fields of a form, or of a JSON object."""

from aiohttp import web

from lean_emulator.base.jsontext import Json, dumps


async def fields_of(request: web.Request) -> dict[str, str]:
    """All fields as text. Raises 400 for a body that is no JSON object where it claims to be."""
    if request.content_type == "application/json":
        try:
            sent = await request.json()
        except ValueError as e:
            raise web.HTTPBadRequest(text=f"The body is not JSON: {e}\n") from e
        if not isinstance(sent, dict):
            raise web.HTTPBadRequest(text="The body must be a JSON object of form fields.\n")
        return {str(key): _text(value) for key, value in sent.items()}
    return {key: str(value) for key, value in (await request.post()).items()}


def _text(value: Json) -> str:
    """A field of a JSON body: text as it is, anything else as the JSON it was."""
    return value if isinstance(value, str) else dumps(value).decode()
