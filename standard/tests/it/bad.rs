//! Bad data: corruptions of every kind over all files; each is refused with its file and a line, none panics.
use standard::{Book, FILES, Refused};

/// What is done to a line that can bear it.
const KINDS: [(&str, fn(&str) -> Option<Vec<u8>>); 8] = [
    ("a key twice", |line| {
        key(line).filter(|_| !line.trim_end().ends_with(':')).map(|_| [line, "\n", &line.replacen("- ", "  ", 1)].concat().into())
    }),
    ("an unknown key", |line| key(line).map(|key| line.replacen(&format!("{key}:"), &format!("{key}_x:"), 1).into())),
    ("another encoding", |line| key(line).map(|_| [line.as_bytes(), b" # \xd6\xd0\xce\xc4"].concat())),
    ("a wrong clause", |line| scalar(line, "clause", "7.4.99")),
    ("a dangling source", |line| line.contains("found:S").then(|| line.replace("found:S", "found:X").into())),
    ("an impossible time", |line| {
        let key = key(line).filter(|key| ["_minutes", "_seconds", "_hours", "_workdays"].iter().any(|end| key.ends_with(end)))?;
        scalar(line, key, "-5")
    }),
    ("a broken line", |line| key(line).map(|_| line.replacen(':', "", 1).into()).filter(|_| line.trim_end().ends_with(':'))),
    ("a tab", |line| key(line).map(|_| format!("\t{line}").into())),
];

fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.trim_start_matches([' ', '-']).split_once(':')?;
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (plain && !line.starts_with('#') && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

fn scalar(line: &str, wanted: &str, value: &str) -> Option<Vec<u8>> {
    let (head, rest) = line.split_once(':')?;
    (key(line) == Some(wanted) && !rest.trim().is_empty()).then(|| format!("{head}: {value}").into())
}

fn read_with(at: usize, bytes: &[u8]) -> Result<Book, Refused> {
    let mut files: Vec<(&str, &[u8])> = FILES.to_vec();
    files[at].1 = bytes;
    Book::read(&files)
}

#[test]
fn two_hundred_corruptions_are_refused_with_their_line() {
    let mut done = std::collections::BTreeMap::<&str, usize>::new();
    for round in 0.. {
        if done.values().sum::<usize>() >= 200 {
            break;
        }
        assert!(round < 40, "too few lines to corrupt: {done:?}");
        for (at, (file, bytes)) in FILES.iter().enumerate() {
            let (name, spoil) = KINDS[(at + round) % KINDS.len()];
            let text = std::str::from_utf8(bytes).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            // Another place in each round, spread by a prime; the first line from there that can bear it.
            let from = (round * 7919 + at * 104_729) % lines.len();
            let found =
                (0..lines.len()).map(|step| (from + step) % lines.len()).find_map(|line| Some((line, spoil(lines[line])?)));
            let Some((line, spoilt)) = found else { continue };
            let mut whole = lines[..line].join("\n").into_bytes();
            whole.push(b'\n');
            whole.extend(spoilt);
            whole.push(b'\n');
            whole.extend(lines[line + 1..].join("\n").into_bytes());
            let Err(refused) = read_with(at, &whole) else { panic!("{name} at {file}:{} was taken: {}", line + 1, lines[line]) };
            assert!(refused.line >= 1 && !refused.why.is_empty() && !refused.file.is_empty(), "{name}: {refused}");
            if matches!(name, "a key twice" | "another encoding" | "a dangling source" | "an impossible time" | "a tab") {
                assert_eq!(refused.file, *file, "{name} at {file}:{}: {refused}", line + 1);
            }
            if matches!(name, "a key twice" | "another encoding") {
                assert!(refused.line.abs_diff(line as u64 + 1) <= 1, "{name} at {file}:{}: {refused}", line + 1);
            }
            *done.entry(name).or_default() += 1;
        }
    }
    assert_eq!(done.len(), KINDS.len(), "{done:?}");
}
