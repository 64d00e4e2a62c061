//! The memory store obeys the laws of every store.

use keyward_memory::MemoryStore;

keyward_testkit::contract_tests!(MemoryStore::default());
keyward_testkit::hint_contract_tests!(MemoryStore::default());
keyward_testkit::verifier_contract_tests!(MemoryStore::default());
