"""``/functions`` and ``/call``: the front door to cloud functions (engine.md 5.7)."""

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import without
from lean_emulator.model.hook_samples import special_hook
from lean_emulator.model.hooknames import BY_WORD, MARKS
from lean_emulator.model.im_hooks import IM_HOOKS
from lean_emulator.service.functions import Functions, as_json
from lean_emulator.service.hook_event import HookEvent
from lean_emulator.service.hook_trial import HookTrial
from lean_emulator.service.hooks import Hooks
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

NOT_FOR_CLIENTS = Hint(
    en="A hook is not for clients: try it with lean-emu hook, or on the console's Run.",
    zh="Hook 不供客户端调用：请用 lean-emu hook 或控制台的“运行”来尝试。",
)


class FunctionHandlers:
    """Reads requests for the function service."""

    def __init__(self, functions: Functions, hooks: Hooks, trial: HookTrial) -> None:
        self._functions = functions
        self._hooks = hooks
        self._trial = trial

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/functions/_ops/metadatas", self.metadatas),
            Route("POST", "/functions/:name", self.run),
            Route("GET", "/functions/:name", self.run),
            Route("POST", "/call/:name", self.call),
            Route("GET", "/call/:name", self.call),
            Route("POST", "/functions/:class/:hook", self.hook),
        ]

    async def run(self, request: Request, name: str) -> Answer:
        return await self._run(request, name, rpc=False)

    async def call(self, request: Request, name: str) -> Answer:
        return await self._run(request, name, rpc=True)

    async def metadatas(self, request: Request) -> Answer:
        """Names of functions and hooks, for the master key only."""
        if not request.call.principal.is_master:
            raise errors.UNAUTHORIZED()
        return Answer({"result": [*self._functions.registered()]})

    async def hook(self, request: Request, class_name: str, word: str) -> Answer:
        """Call one hook by hand; clients need the hook key for that."""
        if not request.call.principal.from_engine:
            raise errors.UNAUTHORIZED(hint=_keyless(class_name, word))
        kind = BY_WORD.get(word)
        body = request.document()
        if kind is None:
            special = special_hook(class_name, word)
            if special is None:
                raise errors.ROUTE_NOT_FOUND(f"There is no hook '{word}'.")
            tried = await self._trial.send(request.call, special, without(body, MARKS))
            return Answer(tried.body, tried.status)
        sent = body.get("object")
        document = sent if isinstance(sent, dict) else {}
        keys = document.get("_updatedKeys")
        event = HookEvent(
            kind,
            class_name,
            {name: value for name, value in document.items() if name != "_updatedKeys"},
            [str(key) for key in keys] if isinstance(keys, list) else [],
        )
        said = as_json(await self._hooks.alone(request.call, event))
        return Answer(said.body, said.status)

    async def _run(self, request: Request, name: str, *, rpc: bool) -> Answer:
        if _is_reserved(name) and not request.call.principal.from_engine:
            raise errors.UNAUTHORIZED(hint=NOT_FOR_CLIENTS)
        params: Json = request.body
        said = await self._functions.run(
            request.call, name, params, rpc=rpc, headers=request.headers
        )
        return Answer(said.body, said.status)


def _keyless(class_name: str, word: str) -> Hint:
    """What to do for a hook that was called without the hook key (engine.md 3.3)."""
    return Hint(
        en="A hook answers calls with the hook key alone, here as in the cloud: send "
        f"X-LC-Hook-Key, or try it with: lean-emu hook {class_name} {word}",
        zh="hook 只响应带 hook key 的调用，云端亦然：请发送 X-LC-Hook-Key，"
        f"或使用 lean-emu hook {class_name} {word} 进行测试",
    )


def _is_reserved(name: str) -> bool:
    """Whether a name is a hook's; not every engine refuses those to clients (engine.md 5.3)."""
    return name in IM_HOOKS or name.startswith("__")
