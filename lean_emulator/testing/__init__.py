"""What tests hold of an emulator that runs beside them; ``pytest_plugin`` hands it out."""
