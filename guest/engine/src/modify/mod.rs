//! Writing rows: INSERT, UPDATE, DELETE, TRUNCATE, COPY, and the indexes they keep.
