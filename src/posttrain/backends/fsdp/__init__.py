"""The backend of several processes: every model is sharded over them with FSDP2 of torch.distributed."""
