//! Where a run's chances come from, and where it says what it saw: a seed that is printed repeats the run.

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "whoever repeats or lengthens a run says so in the environment")]
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

/// Says something to whoever runs the test.
#[expect(clippy::print_stdout, reason = "seed and figures are read from what a test says")]
pub(crate) fn said(words: &str) {
    println!("{words}");
}

/// Says what was seen, and to `./x prove` in its file.
#[expect(clippy::disallowed_methods, reason = "`./x prove` says in the environment where it listens")]
pub(crate) fn noted(words: &str) {
    said(words);
    if let Ok(file) = std::env::var("OPSMESH_PROOF") {
        std::fs::write(file, words).unwrap();
    }
}

/// A seed that nobody chose.
#[expect(clippy::disallowed_methods, reason = "it is printed, and repeats the run")]
pub(crate) fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1 >> 16
}

/// The `number`th draw of a seed (splitmix64).
pub(crate) fn draw(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
