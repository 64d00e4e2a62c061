//! keyward-memory
