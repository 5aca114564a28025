"""What LeanCloud's data means: plain synchronous rules without I/O."""
