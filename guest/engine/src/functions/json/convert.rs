//! SQL values as JSON (`to_json`, `to_jsonb`).
