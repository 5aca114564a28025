"""The sentences that say why a hook ran or did not, in both languages.

They stand after the hook's name and a colon: ``afterSave Post: an update fires …``.
"""

from lean_emulator.base.errors import Hint as Said
from lean_emulator.base.trace import Span
from lean_emulator.model.hooknames import AFTER_HOOKS, BEFORE_HOOKS, HookKind
from lean_emulator.service.call import Wish
from lean_emulator.service.engine import Failure

__all__ = ["Said"]


_RAN = {
    "ok": Said("it ran", "已执行"),
    "running": Said("it is running", "正在执行"),
    "rejected": Said("it ran and refused", "已执行并拒绝了操作"),
    "failed": Said("it ran and failed", "已执行但失败"),
    "timeout": Said("it ran and was out of time", "已执行但超时"),
    "loop": Said("the loop guard stopped it", "被循环保护终止"),
}


def ran(step: Span) -> Said:
    return _RAN[step.outcome]


def ran_anyway() -> Said:
    return Said(
        "it ran although __ignore_hooks names it: only requests with the hook key or the master "
        "key may leave hooks out",
        "已执行：虽然 __ignore_hooks 包含此 hook，但只有带 hook key 或 master key 的请求"
        "才能关闭 hook",
    )


def ran_old_code(last_line: str) -> Said:
    return Said(
        f"the last code that loaded ran; the file as it is now did not load: {last_line}",
        f"执行的是上一次成功加载的代码；当前文件未能加载：{last_line}",
    )


def excluded(class_name: str) -> Said:
    return Said(
        f"{class_name} never fires hooks, whatever is registered",
        f"{class_name} 不会触发任何 hook，注册了也不会",
    )


def imported() -> Said:
    return Said("an import fires no hooks", "导入数据不会触发 hook")


def other_write(kind: HookKind) -> Said:
    """The class has the hook, but it belongs to the other kind of save."""
    if kind in (HookKind.BEFORE_SAVE, HookKind.AFTER_SAVE):
        return Said(
            "it runs on creates only, and this was an update: those run beforeUpdate and "
            "afterUpdate",
            "仅在创建时触发，而本次是更新：更新会触发 beforeUpdate 和 afterUpdate",
        )
    return Said(
        "it runs on updates only, and this was a create: those run beforeSave and afterSave",
        "仅在更新时触发，而本次是创建：创建会触发 beforeSave 和 afterSave",
    )


def not_registered(class_name: str, near: str | None, failure: Failure | None) -> Said:
    """The code has no such hook; ``near`` is a class of a similar name that has."""
    said = Said(f"not registered for {class_name}", f"没有为 {class_name} 注册")
    if near is not None:
        said = Said(
            f"{said.en}, but for {near}: is one of the two names mistyped?",
            f"{said.zh}，但为 {near} 注册了：是否有一处类名写错？",
        )
    if failure is not None:
        said = Said(
            f"{said.en} by the last code that loaded; the file as it is now did not load: "
            f"{failure.last_line}",
            f"{said.zh}（上一次成功加载的代码）；当前文件未能加载：{failure.last_line}",
        )
    return said


def never_loaded(last_line: str) -> Said:
    return Said(
        f"the code has not loaded, so nobody knows its hooks: {last_line}",
        f"代码尚未成功加载，无法得知有哪些 hook：{last_line}",
    )


def unloaded(kind: HookKind, last_line: str) -> Said:
    """The last good code had the hook: a write is refused rather than made without it."""
    if kind.is_before:
        return Said(
            f"the file does not load any more: {last_line}. The last code that loaded had this "
            "hook, so the write was refused rather than made without it; --keep-last-good runs "
            "the old code",
            f"文件已无法加载：{last_line}。上一次成功加载的代码注册了此 hook，因此拒绝写入"
            "而不是跳过；使用 --keep-last-good 可继续执行旧代码",
        )
    return Said(
        f"the file does not load any more: {last_line}. The last code that loaded had this hook; "
        "--keep-last-good runs the old code",
        f"文件已无法加载：{last_line}。上一次成功加载的代码注册了此 hook；"
        "使用 --keep-last-good 可继续执行旧代码",
    )


def nothing_to_delete() -> Said:
    return Said("there was no object to delete", "没有可删除的对象")


def not_reached(cause: Said) -> Said:
    return Said(f"not reached: {cause.en}", f"未执行到：{cause.zh}")


def gone_meanwhile(kind: HookKind) -> Said:
    """The before hook ran, and by its end there was no object to delete, or no such hook."""
    if kind is HookKind.AFTER_DELETE:
        return Said("the object was gone by then", "对象当时已不存在")
    return Said("the code was loaded again meanwhile", "其间代码已重新加载")


def stopped_by(step: Span | None, message: str) -> Said:
    """What ended a write, as the cause of hooks that it did not come to."""
    en, zh = (f": {message}", f"：{message}") if message else ("", "")
    if step is None:
        return Said(f"the request was refused earlier{en}", f"请求在此之前已被拒绝{zh}")
    title = step.title
    if step.kind != "hook":
        return Said(f"{title} failed{en}", f"{title} 失败{zh}")
    if step.outcome == "timeout":
        return Said(f"{title} was out of time{en}", f"{title} 超时{zh}")
    if step.outcome == "loop":
        return Said(f"the loop guard stopped {title}", f"循环保护终止了 {title}")
    if step.outcome == "rejected":
        return Said(f"{title} refused the write{en}", f"{title} 拒绝了写入{zh}")
    return Said(f"{title} failed{en}", f"{title} 失败{zh}")


def ignored(kind: HookKind, wish: Wish | None, request: Span | None, handed: str | None) -> Said:
    """A hook that the request left out, and by which call of the SDK.

    ``handed`` names the hook that was given this very object, for which the SDK does it unasked.
    """
    if wish is not None and wish.source == "import":
        return imported()
    where = request.title if request is not None else ""
    in_en, in_zh = (f" of {where}", f"{where} ") if where else ("", "")
    if wish is None or kind not in wish.named:
        mark = "__before" if kind.is_before else "__after"
        return Said(
            f"switched off by the SDK: the body{in_en} carries a signed {mark} mark",
            f"被 SDK 关闭：{in_zh}请求体带有签名的 {mark} 标记",
        )
    if handed is not None:
        return Said(
            f"switched off by the SDK: {handed} was given this object, and the SDK puts "
            f"__ignore_hooks into the body{in_en} for every save of it",
            f"被 SDK 关闭：该对象是传给 {handed} 的对象，SDK 在每次保存它时都会在{in_zh}"
            "请求体中加入 __ignore_hooks",
        )
    group, call = (
        (BEFORE_HOOKS, "disable_before_hook()")
        if kind.is_before
        else (AFTER_HOOKS, "disable_after_hook()")
    )
    if not group <= wish.named:
        call = f"ignore_hook('{kind.word}')"
    return Said(
        f"switched off by the SDK: __ignore_hooks in the body{in_en} names it, as {call} does",
        f"被 SDK 关闭：{in_zh}请求体的 __ignore_hooks 包含它，由 {call} 设置",
    )
