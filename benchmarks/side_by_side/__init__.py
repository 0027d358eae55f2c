"""citybrain beside the engines that users would pick instead, on one task, in one run."""
