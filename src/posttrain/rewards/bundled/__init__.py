"""The rewards that ship, one function a file: `math_answer` is math_answer in bundled/math_answer.py."""
