"""Run files from the configurations of other trainers: TRL, verl, OpenRLHF, Axolotl and LLaMA-Factory."""
