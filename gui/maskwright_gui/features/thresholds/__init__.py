"""The thresholds that choose among the model's candidates, and their live preview."""
