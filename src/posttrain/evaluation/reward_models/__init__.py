"""What a reward model or a judge knows: its accuracy, calibration and biases on answers whose worth is known."""
