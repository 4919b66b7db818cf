"""Leads the engine's calls to main.py. What that prints, and where it raises, goes to the engine."""

import sys
from posixpath import basename
from traceback import walk_tb

from componentize_py_types import Err
from wit_world.imports import output, types

import main
from steadfast_answer import mistake

# What is kept of it is less.
AT_ONCE = 4096


class Printed:
    """Standard output and standard error, which CPython would look for in a system that is not there."""

    encoding, errors, closed, mode, name, newlines, line_buffering = "utf-8", "replace", False, "w", "<output>", None, True

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "replace")
        for at in range(0, len(data), AT_ONCE):
            output.print(data[at:at + AT_ONCE])
        return len(text)

    def writelines(self, lines) -> None:
        for line in lines:
            self.write(line)

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def tell(error: BaseException) -> None:
    """Without lines of the source, which CPython would look for in files."""
    # Where the build saw the file is of no use: `/0/main.py`.
    frames = [f"  {basename(frame.f_code.co_filename)}:{line}, in {frame.f_code.co_name}"
              for frame, line in walk_tb(error.__traceback__)]
    # The innermost first, and without the one below.
    print(f"{type(error).__name__}: {error}", *reversed(frames[1:]), sep="\n")


def told(name: str, call, kind=None):
    """A call whose answer is held to this kind."""
    def calling(*arguments):
        # Not before: while the module is built there is a terminal, and nobody to print to.
        if not isinstance(sys.stdout, Printed):
            sys.stdout = sys.stderr = Printed()
            sys.excepthook = lambda *_: None
        try:
            answer = call(*arguments)
            wrong = mistake(answer, kind)
        except Err as error:
            if kind is types.Description:
                tell(error)
                raise
            if isinstance(error.value, str):
                # An answer of the policy's.
                raise
            raise Err(f"{name}: it raised {error!r}; what an Err holds is a str") from None
        except BaseException as error:
            tell(error)
            raise
        if wrong and kind is types.Decision:
            raise Err(f"{name}: {wrong}")
        if wrong:
            # The contract has no place for an error here.
            print(f"{name}: {wrong}")
            raise TypeError(wrong)
        return answer

    return calling


class WitWorld(main.WitWorld):
    describe = told("describe", main.WitWorld.describe, types.Description)
    configure = told("configure", main.WitWorld.configure)
    decide = told("decide", main.WitWorld.decide, types.Decision)
