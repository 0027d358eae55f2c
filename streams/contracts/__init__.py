"""Words that two processes exchange: frames, alert events, facts, topics and their schemas."""
