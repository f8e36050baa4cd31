"""What tests of several rooms stand on. Each file says when to use it.

A method: numbers (chosen by hand), generated (any method), cases (whole trainings), enumerated (exact expectations).
Its models: networks (small and real), recorder (keeps gradients).
Its oracle: reference (written once more), independent (trains with it).
A procedure: scripted_session (no model at all).
A run: runs (in this process), processes (killed and interrupted), workers (rewards whose processes serve all tests).
The tests: mutants (functions broken in every small way), icarus (only where the simulator is).
"""
