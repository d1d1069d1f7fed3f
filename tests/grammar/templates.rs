//! Templates: see below.
