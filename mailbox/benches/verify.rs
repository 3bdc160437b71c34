//! How fast the auditor is: a million facts from a dump on disk to the verdict.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, and prints"
)]

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    time::Instant,
};

use chassis::Secret;
use jiff::Timestamp;
use mailbox::seal::{Audit, Bounds, Content, Dump, Hash, SealKey, Sealed};
use serde_json::json;

const FACTS: i64 = 1_000_000;
/// As the sealer makes them at two seals a second and 1,000 facts a second.
const A_SEAL: usize = 500;
const ROUNDS: usize = 5;
/// A ticket as its fact has it.
const DATA: &str = r#"{"ticket":{"name":"agencies/gz/tickets/019f0000-0000-8000-8000-000000000007","title":"门户网站打不开","description":"三楼全部办公电脑自上午九点起无法打开门户网站，其他网站正常","grade":"GRADE_III","state":"TICKET_STATE_NEW","requester":"li","createTime":"2026-11-23T01:02:03.456789Z","updateTime":"2026-11-23T01:02:03.456789Z","etag":"1","traceId":"0af7651916cd43dd8448eb211c80319c"}}"#;

fn main() {
    for (seed, algorithms) in [("", "SHA-256 and Ed25519"), ("sm2:", "SM3 and SM2")] {
        let key = SealKey::of(&Secret::new(format!("{seed}{}", "5e".repeat(32)))).unwrap();
        let name = format!("1 M facts verified from a dump, {algorithms}");
        println!("{}", json!({"name": name, "unit": "s", "ours": verified(&key)}));
    }
}

/// Seconds, from a dump on the disk to the verdict.
fn verified(key: &SealKey) -> f64 {
    let file = std::env::temp_dir().join(format!("opsmesh-verify-{}.sql", std::process::id()));
    write(key, &file);
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            let file = BufReader::with_capacity(1 << 20, File::open(&file).unwrap());
            let dump = Dump::read(file, &[key.suite()]).unwrap();
            let audit = Audit::of(&[key.public()], "x", dump, Vec::new());
            assert_eq!((audit.facts, audit.wrong.len(), audit.unsealed), (1_000_000, 0, 0));
            begin.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    std::fs::remove_file(&file).unwrap();
    seconds[ROUNDS / 2]
}

fn write(key: &SealKey, file: &std::path::Path) {
    let mut to = BufWriter::new(File::create(file).unwrap());
    let at: Timestamp = "2026-11-23T01:02:03.456789Z".parse().unwrap();
    writeln!(
        to,
        "COPY public.facts_2026_11 (seq, at, tx, id, agency, kind, subject, actor, traceparent, clause, data) FROM stdin;"
    )
    .unwrap();
    let (mut seals, mut batch): (Vec<Sealed>, Vec<(i64, Hash)>) = (Vec::new(), Vec::new());
    for number in 1..=FACTS {
        let id = format!("019f0000-0000-8000-8000-{number:012}");
        let subject = format!("agencies/gz/tickets/{id}");
        let tx = u64::try_from(number).unwrap();
        let content = Content {
            at,
            tx,
            id: &id,
            agency: "gz",
            kind: "opsmesh.ticketing.v1.TicketOpened",
            subject: &subject,
            actor: "li",
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            clause: Some("7.4.1.1"),
            data: DATA,
        };
        batch.push((number, content.hash(key.suite())));
        writeln!(
            to,
            "{number}\t2026-11-23 01:02:03.456789+00\t{tx}\t{id}\tgz\t{}\t{subject}\tli\t{}\t7.4.1.1\t{DATA}",
            content.kind,
            content.traceparent.unwrap(),
        )
        .unwrap();
        if batch.len() == A_SEAL || number == FACTS {
            let after = seals.last().map(|sealed| &sealed.seal);
            seals.push(key.seal("x", after, Bounds { horizon: tx + 1, floor: 0 }, at, &batch));
            batch.clear();
        }
    }
    writeln!(
        to,
        "\\.\nCOPY public.seals (number, service, at, facts, horizon, floor, root, previous, key, signature, leaves) FROM stdin;"
    )
    .unwrap();
    for Sealed { seal, leaves } in &seals {
        writeln!(
            to,
            "{}\tx\t2026-11-23 01:02:03.456789+00\t{}\t{}\t0\t\\\\x{}\t\\\\x{}\t{}\t\\\\x{}\t\\\\x{}",
            seal.number,
            seal.facts,
            seal.horizon,
            hex::encode(seal.root),
            hex::encode(seal.previous),
            seal.key,
            hex::encode(&seal.signature),
            hex::encode(leaves.concat()),
        )
        .unwrap();
    }
    writeln!(to, "\\.").unwrap();
    to.flush().unwrap();
}
