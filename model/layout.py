"""The files of a checkpoint's folder, by name: for those who look into one without torch."""

WEIGHTS, CONFIG, HISTORY = "weights.safetensors", "config.json", "history.json"
VOCABULARY, ITEMS = "vocabulary", "items.parquet"
