"""Uploads that were announced: who may send which content, until when (storage.md 8.2)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from lean_emulator.base import errors
from lean_emulator.base.clock import Clock
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.ids import Ids
from lean_emulator.base.masking import UPLOAD_TOKEN
from lean_emulator.storage.blobs import Blobs, Draft

SECONDS = 3600.0
"""How long an upload token is good, in seconds."""
MAX_PARTS = 10_000
"""Parts that one upload may come in."""


@dataclass(slots=True, eq=False)
class Upload:
    """One file that is on its way. The token is good for it alone, until it is closed."""

    token: str
    object_id: str
    key: str
    expires: float
    """Monotonic seconds."""
    claimed: int | None
    """Bytes that the client said it would send."""
    stored: bool = False
    parts: dict[str, Draft] = field(default_factory=dict)
    """What came in pieces and is not put together, by names that are ours or numbers."""


class Uploads:
    """Every open upload; they are lost when lean-emu stops, and the client begins again."""

    def __init__(self, blobs: Blobs, ids: Ids, clock: Clock, *, max_bytes: int) -> None:
        self._blobs = blobs
        self._ids = ids
        self._clock = clock
        self._max_bytes = max_bytes
        self._open: dict[str, Upload] = {}
        self._by_file: dict[str, Upload] = {}

    def check_size(self, size: int | None) -> None:
        """Raise 413 for a file that would be too large."""
        if size is not None and size > self._max_bytes:
            raise errors.TOO_LARGE_BODY(
                f"The file is larger than {self._max_bytes / 1024 / 1024:g} MB.",
                hint=Hint(
                    en="The setting max_file_bytes allows more.",
                    zh="可通过设置 max_file_bytes 调高上限。",
                ),
            )

    def expect(self, object_id: str, key: str, claimed: int | None) -> Upload:
        """A new upload for a record, with a token nobody can guess."""
        expires = self._clock.now_ms() / 1000 + SECONDS
        token = f"{UPLOAD_TOKEN}{self._ids.lower(40)}"
        upload = Upload(token, object_id, key, expires, claimed)
        self._open[upload.token] = upload
        self._by_file[object_id] = upload
        return upload

    def authorised(self, object_id: str, token: str | None) -> Upload:
        """The upload of a record, for who has its token. Raises 403 for everybody else."""
        upload = self._open.get(token or "")
        if upload is None or upload.object_id != object_id or self._expired(upload):
            raise _refused()
        return upload

    def check_expected(self, object_id: str) -> None:
        """Raise 403 where nothing is on its way; for uploads that tell their token last."""
        upload = self._by_file.get(object_id)
        if upload is None or self._expired(upload):
            raise _refused()

    async def receive(self, chunks: AsyncIterator[bytes], declared: int | None) -> Draft:
        """Everything that comes, as a draft. ``declared`` is how many bytes it must be.

        Raises 413 and leaves nothing where it is too much, code 1 where it is too little or cannot
        be written.
        """
        self.check_size(declared)
        draft = self._blobs.draft()
        try:
            async for chunk in chunks:
                self.check_size(draft.size + len(chunk))
                await draft.write(chunk)
            if declared is not None and draft.size != declared:
                raise truncated(draft.size, declared)
        except BaseException as e:
            await draft.discard()
            if isinstance(e, OSError) and not isinstance(e, ConnectionError):
                raise errors.INTERNAL(f"The file cannot be stored: {e.strerror or e}.") from e
            raise
        return draft

    async def joined(self, drafts: list[Draft]) -> Draft:
        """One draft of many, in their order. Raises 413 where they are too much together."""
        self.check_size(sum(draft.size for draft in drafts))
        whole = self._blobs.draft()
        try:
            for draft in drafts:
                await whole.append(draft)
        except BaseException:
            await whole.discard()
            raise
        return whole

    async def complete(self, upload: Upload, draft: Draft) -> None:
        """Make the draft the file's content. Raises 403 where the upload was closed meanwhile."""
        if self._open.get(upload.token) is not upload:
            await draft.discard()
            raise _refused()
        await self._blobs.keep(draft, upload.object_id)
        upload.stored = True
        await self.drop_parts(upload)

    async def add_part(self, upload: Upload, name: str, draft: Draft) -> None:
        """Keep a piece until all are there; a later one of the same name replaces it."""
        others = [part for other, part in upload.parts.items() if other != name]
        try:
            self.check_size(draft.size + sum(part.size for part in others))
            if len(others) >= MAX_PARTS:
                raise errors.INVALID_REQUEST(f"An upload has at most {MAX_PARTS} parts.")
        except ApiError:
            await draft.discard()
            raise
        earlier = upload.parts.get(name)
        upload.parts[name] = draft
        if earlier is not None:
            await earlier.discard()

    async def drop_parts(self, upload: Upload) -> None:
        parts, upload.parts = upload.parts, {}
        for draft in parts.values():
            await draft.discard()

    async def close(self, token: str) -> Upload | None:
        """End an upload; ``None`` for a token that is unknown or was used up."""
        upload = self._open.pop(token, None)
        if upload is not None:
            self._by_file.pop(upload.object_id, None)
            await self.drop_parts(upload)
        return upload

    async def close_expired(self) -> list[Upload]:
        """End those whose time is over; they are the oldest."""
        late = []
        while self._open and self._expired(oldest := next(iter(self._open.values()))):
            late.append(oldest)
            await self.close(oldest.token)
        return late

    async def close_all(self) -> None:
        for token in list(self._open):
            await self.close(token)

    def _expired(self, upload: Upload) -> bool:
        return self._clock.now_ms() / 1000 >= upload.expires


def truncated(size: int, declared: int) -> ApiError:
    """The error for an upload that ended early."""
    return errors.INVALID_REQUEST(
        f"The upload is truncated: {size} of {declared} bytes arrived. Nothing was stored."
    )


def _refused() -> ApiError:
    return errors.FORBIDDEN(
        "The upload token is wrong, used up or expired.",
        hint=Hint(
            en="A token is good for one file and one hour; POST /1.1/fileTokens gives a new one.",
            zh="上传凭证仅对一个文件有效，一小时后过期；请重新 POST /1.1/fileTokens。",
        ),
    )
