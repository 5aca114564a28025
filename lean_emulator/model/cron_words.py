"""A cron expression in a sentence, for those who do not read them every day."""

from collections.abc import Sequence

from lean_emulator.base.errors import Hint
from lean_emulator.model.cron import Cron
from lean_emulator.model.cron_fields import DayRule, Field

MAX_TIMES = 12
"""Times of a day that are listed one by one."""

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_WEEKDAYS_ZH = ("周日", "周一", "周二", "周三", "周四", "周五", "周六")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_NTH = ("first", "second", "third", "fourth", "fifth")


def in_words(cron: Cron) -> Hint:
    """When it runs: ``At 08:00, on Monday.`` and ``每周一 08:00。``"""
    *_, day, month, weekday, year = cron.fields
    english = [_time(cron), _day(cron.day_rule, day, weekday)]
    chinese = [_day_zh(cron.day_rule, day, weekday), _time_zh(cron)]
    if month.values is not None:
        english.append(f"in {_list([_MONTHS[n - 1] for n in month.values])}")
        chinese.insert(0, f"{_list_zh(month.values)} 月")
    if year.values is not None:
        english.append(f"in {_list(_runs(year.values))}")
        chinese.insert(0, f"{_list_zh(_runs(year.values))} 年")
    if len(english) == 2 and not english[1] and _times(cron) is not None:
        english[1] = "every day"
    sentence = ", ".join(part for part in english if part)
    return Hint(f"{sentence[0].upper()}{sentence[1:]}.", f"{' '.join(filter(None, chinese))}。")


def _times(cron: Cron) -> list[str] | None:
    """The times of a day, where they are few."""
    second, minute, hour = (field.values for field in cron.fields[:3])
    if second is None or minute is None or hour is None:
        return None
    if len(second) > 1 or len(minute) * len(hour) > MAX_TIMES:
        return None
    tail = f":{second[0]:02d}" if second != (0,) else ""
    return [f"{h:02d}:{m:02d}{tail}" for h in hour for m in minute]


def _time(cron: Cron) -> str:
    times = _times(cron)
    if times is not None:
        return f"at {_list(times)}"
    second, minute, hour = cron.fields[:3]
    parts = []
    if second.values is None or second.step:
        parts.append(_every(second, "second"))
    elif second.values != (0,):
        parts.append(f"at second {_list(_runs(second.values))}")
    if minute.values is None or minute.step:
        if second.values is not None or minute.step:
            parts.append(_every(minute, "minute"))
    else:
        parts.append(f"at minute {_list(_runs(minute.values))}")
    if hour.step:
        parts.append(_every(hour, "hour"))
    elif hour.values is not None:
        parts.append(f"in hour {_list(_runs(hour.values))}")
    elif minute.values is not None and not minute.step:
        parts.append("every hour")
    return ", ".join(parts)


def _time_zh(cron: Cron) -> str:
    times = _times(cron)
    if times is not None:
        return _list_zh(times)
    second, minute, hour = cron.fields[:3]
    parts = []
    if hour.step:
        parts.append(_every_zh(hour, "小时"))
    elif hour.values is not None:
        parts.append(f"{_list_zh(_runs(hour.values))} 时")
    elif minute.values is not None and not minute.step:
        parts.append("每小时")
    if minute.values is None or minute.step:
        if second.values is not None or minute.step:
            parts.append(_every_zh(minute, "分钟"))
    else:
        parts.append(f"第 {_list_zh(_runs(minute.values))} 分")
    if second.values is None or second.step:
        parts.append(_every_zh(second, "秒"))
    elif second.values != (0,):
        parts.append(f"第 {_list_zh(_runs(second.values))} 秒")
    return "，".join(parts)


def _day(rule: DayRule | None, day: Field, weekday: Field) -> str:
    if rule is not None:
        name = _WEEKDAYS[rule.weekday - 1]
        return {
            "last": "on the last day of the month",
            "last weekday": "on the last day of the month from Monday to Friday",
            "nearest": f"on the day from Monday to Friday nearest to day {rule.day} of the month",
            "last of": f"on the last {name} of the month",
            "nth of": f"on the {_NTH[rule.nth - 1]} {name} of the month",
        }[rule.kind]
    if day.values is not None:
        word = "day" if len(day.values) == 1 else "days"
        return f"on {word} {_list(_runs(day.values))} of the month"
    if weekday.values is not None:
        return f"on {_list([_WEEKDAYS[n - 1] for n in weekday.values])}"
    return ""


def _day_zh(rule: DayRule | None, day: Field, weekday: Field) -> str:
    if rule is not None:
        name = _WEEKDAYS_ZH[rule.weekday - 1]
        return {
            "last": "每月最后一天",
            "last weekday": "每月最后一个工作日（周一至周五）",
            "nearest": f"离每月 {rule.day} 日最近的工作日（周一至周五）",
            "last of": f"每月最后一个{name}",
            "nth of": f"每月第 {rule.nth} 个{name}",
        }[rule.kind]
    if day.values is not None:
        return f"每月 {_list_zh(_runs(day.values))} 日"
    if weekday.values is not None:
        return f"每{_list_zh([_WEEKDAYS_ZH[n - 1] for n in weekday.values])}"
    return "每天"


def _every(field: Field, unit: str) -> str:
    return f"every {unit}" if field.step is None else f"every {field.step} {unit}s"


def _every_zh(field: Field, unit: str) -> str:
    return f"每{unit}" if field.step is None else f"每 {field.step} {unit}"


def _runs(values: Sequence[int]) -> list[str]:
    """Numbers as text, three and more in a row as ``1-5``."""
    texts: list[str] = []
    start = 0
    while start < len(values):
        end = start
        while end + 1 < len(values) and values[end + 1] == values[end] + 1:
            end += 1
        if end - start >= 2:
            texts.append(f"{values[start]}-{values[end]}")
        else:
            texts += map(str, values[start : end + 1])
        start = end + 1
    return texts


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _list_zh(parts: Sequence[object]) -> str:
    return "、".join(map(str, parts))
