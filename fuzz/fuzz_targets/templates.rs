//! Any text as a template of a chart, and as a file of helm-toolkit: it is edited rightly, or it is
//! not edited.

#![no_main]

#[path = "../../tests/common/judge.rs"]
mod judge;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // What is not UTF-8 is left alone by whoever reads the file.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for judged in [judge::judge_template(text), judge::judge_toolkit(text)] {
        if let Err(complaint) = judged {
            panic!("{complaint}");
        }
    }
});
