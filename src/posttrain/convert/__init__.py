"""Run files from the configurations of other trainers: TRL, verl, Axolotl and LLaMA-Factory."""
