"""Search over artefacts (prompts, programs, settings): what is proposed, how it is evaluated, and who is selected."""
