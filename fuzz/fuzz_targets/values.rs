//! Any text as a values.yaml: it is edited rightly, or it is not edited.

#![no_main]

#[path = "../../tests/common/judge.rs"]
mod judge;

use judge::Wanted;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // What is not UTF-8 is refused by whoever reads the file.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let wanted = Wanted::new("demo", "5000", "{chart}-oci-image-registry-key");
    if let Err(complaint) = judge::judge_values(&wanted, text) {
        panic!("{complaint}");
    }
});
