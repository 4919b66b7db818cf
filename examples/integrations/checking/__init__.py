"""What `check` is made of: a fake Flink, the engine, the followers, and who judges them."""
