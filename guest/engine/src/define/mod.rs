//! Statements about the catalog and the session: CREATE, ALTER, DROP, SET, SHOW.
