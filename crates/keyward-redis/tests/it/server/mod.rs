//! What takes real time, or a server that fails.

mod accidents;
mod grid;
mod layer;
mod network;
