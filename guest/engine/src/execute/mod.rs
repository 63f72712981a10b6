//! Running a plan in batches of rows.
