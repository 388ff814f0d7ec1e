"""A kernel's client and manager that lose no time at its start and its end: most of a second of each submission.

A client that connects before its kernel listens waits for a tenth of a second and tries again; this one waits for a
few milliseconds. jupyter_client's own asks a kernel who it is, and then listens until nothing has come for a fifth of
a second. The kernel's word that it has dealt with that question is the last that it says, so whoever hears it need not
wait for silence. And where jupyter_client looks ten times a second whether a kernel has ended, this looks more often.
How messages are packed, `gradebox.packing` says.
"""

import sys
from queue import Empty
from time import monotonic
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session
from traitlets import Type, default

from gradebox.errors import BadMessage, GradeboxError
from gradebox.packing import PACKER, UNPACKER
from gradebox.warm import LAUNCHER

__all__ = ["PromptClient", "PromptKernelManager"]

ANSWER_S = 1.0  # after which a kernel is asked again, as jupyter_client does
HEARD_S = 0.01  # after an answer: what was published before this client listened is lost, and it must ask again
LOOK_S = 0.005
RECONNECT_MS = 5
# What a kernel may send: a part of a message, and how many messages lie unread on our side. More is refused, or waits,
# in the socket, before anything of it is unpacked.
MAX_PART_BYTES = 64 * 1024 * 1024  # a loop that prints fills a message of twenty, five times a second
MAX_UNREAD = 4


class WatchfulChannel(AsyncZMQSocketChannel):
    """A channel from a kernel that other people's code has run in: whatever is no message has one name."""

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:
        # Called by `get_msg`. What the session meets in forged, torn or endlessly nested parts may be any exception.
        try:
            return await super()._recv(**kwargs)
        except (zmq.ZMQError, GradeboxError):
            raise
        except Exception as error:
            raise BadMessage(f"the kernel sent something that is no message of a kernel ({_kind(error)})") from None


def _kind(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


class PromptClient(AsyncKernelClient):
    """An `AsyncKernelClient` that is ready when the kernel is, and believes it little."""

    shell_channel_class = Type(WatchfulChannel)
    iopub_channel_class = Type(WatchfulChannel)
    stdin_channel_class = Type(WatchfulChannel)
    control_channel_class = Type(WatchfulChannel)

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        context = super()._context_default()
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        context.setsockopt(zmq.MAXMSGSIZE, MAX_PART_BYTES)
        context.setsockopt(zmq.RCVHWM, MAX_UNREAD)
        return context

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers on both of its channels. Called by nbclient when it has started a kernel.

        No earlier message is left in the channels then.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            RuntimeError: the kernel died, or did not answer in time.
        """
        deadline = float("inf") if timeout is None else monotonic() + timeout
        while not await self._answers(self.kernel_info()):
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it answered")
            if monotonic() > deadline:
                raise RuntimeError(f"the kernel did not answer in {timeout:g} s")
        pin = getattr(getattr(self.parent, "provisioner", None), "pin_sockets", None)
        if pin is not None:  # of a sandboxed kernel
            pin()

    async def _answers(self, question: str) -> bool:
        """Whether the kernel answers the question, and is heard to have done with it."""
        try:
            while (answer := await self.shell_channel.get_msg(timeout=ANSWER_S)) and not _is_about(answer, question):
                pass
            while not _is_end_of(await self.iopub_channel.get_msg(timeout=HEARD_S), question):
                pass
        except Empty:
            return False
        self._handle_kernel_info_reply(answer)
        return True


class PromptKernelManager(AsyncKernelManager):
    """An `AsyncKernelManager` whose clients are `PromptClient`s, and whose kernels can say any text.

    Settings of `c.AsyncKernelManager` hold here too.
    """

    client_factory: Type = Type(klass=AsyncKernelClient)

    @default("client_factory")
    def _client_factory_default(self) -> type:
        return PromptClient

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command. Called by `pre_start_kernel`; must return a list of words."""
        command = super().format_kernel_cmd(extra_arguments)
        ours = command[:3] == [sys.executable, "-m", LAUNCHER]  # another Python may not have gradebox
        return [*command, f"--Session.packer={PACKER}"] if ours else command

    def _session_default(self) -> Session:
        return Session(parent=self, unpacker=UNPACKER)

    async def _async_wait(self, pollinterval: float = LOOK_S) -> None:
        await super()._async_wait(pollinterval)


def _is_about(message: dict, question: str) -> bool:
    return message["parent_header"].get("msg_id") == question


def _is_end_of(message: dict, question: str) -> bool:
    ended = message["msg_type"] == "status" and message["content"].get("execution_state") == "idle"
    return ended and _is_about(message, question)
