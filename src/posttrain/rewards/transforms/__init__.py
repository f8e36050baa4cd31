"""The transforms of rewards that ship, one function a file: `clip` is clip in transforms/clip.py."""
