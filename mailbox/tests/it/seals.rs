//! Real facts, sealed by a real service, dumped by `pg_dump`, tampered with by a superuser, held against their seals.
use std::{path::PathBuf, process::Command};

use chassis::{Scope, Secret};
use mailbox::seal::SealKey;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::{eventually, told};

use crate::post::{Post, Trouble, agency, tell, tell_now};

/// A sender's database as somebody sees it who has every right.
pub(crate) struct Archive {
    pub(crate) post: Post,
    folder: PathBuf,
}

impl Archive {
    pub(crate) async fn open() -> Self {
        let post = Post::open(Trouble::default()).await;
        let folder = post.stage.folder().join("archive");
        std::fs::create_dir_all(&folder).unwrap();
        Self { post, folder }
    }

    pub(crate) fn url(&self) -> String {
        let own = self.post.from.database.url.expose().to_owned();
        let (_, database) = own.rsplit_once('/').unwrap();
        let admin = told("DATABASE_URL");
        let (server, _) = admin.rsplit_once('/').unwrap();
        format!("{server}/{database}")
    }

    pub(crate) async fn tamper(&self, statement: &str) {
        let mut admin = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut admin).await.unwrap();
    }

    /// What the auditor says about a dump of it as it now is, and whether everything is well.
    pub(crate) fn verify(&self, copies: Option<&PathBuf>) -> (bool, Vec<String>) {
        self.verify_by(&[tests::SEAL_KEY], copies)
    }

    /// The same for an auditor who knows the public keys of these.
    fn verify_by(&self, seeds: &[&str], copies: Option<&PathBuf>) -> (bool, Vec<String>) {
        let dump = self.folder.join("dump.sql");
        let dumped = Command::new("pg_dump")
            .args(["--table=facts*", "--table=seals", "--table=disposals", "--file"])
            .arg(&dump)
            .arg(self.url())
            .output()
            .expect("pg_dump is there");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let mut verify = Command::new(env!("CARGO_BIN_EXE_opsmesh-verify"));
        verify.arg("facts").arg(&dump).args(["--service", "sender"]);
        for seed in seeds {
            verify.arg("--key").arg(SealKey::of(&Secret::new(*seed)).unwrap().public().to_string());
        }
        if let Some(copies) = copies {
            verify.arg("--copies").arg(copies);
        }
        let verified = verify.output().unwrap();
        let text = String::from_utf8(verified.stdout).unwrap();
        assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&verified.stderr));
        (verified.status.success(), text.lines().map(str::to_owned).collect())
    }

    /// Waits until so many facts are sealed, none is left over and the broker has a copy of every seal.
    pub(crate) async fn sealed(&self, facts: usize) {
        eventually("all facts to be sealed and copied", || async {
            let mut admin = PgConnection::connect(&self.url()).await.unwrap();
            let (leaves, behind): (i64, i64) = sqlx::query_as(
                "SELECT coalesce(sum(octet_length(leaves)), 0)::bigint / 32,
                     coalesce(max(number), 0) - coalesce((SELECT number FROM seal_copies), 0) FROM seals",
            )
            .fetch_one(&mut admin)
            .await
            .unwrap();
            if leaves == i64::try_from(facts).unwrap() && behind == 0 { Ok(()) } else { Err((leaves, behind)) }
        })
        .await;
    }

    /// The last seal, as the broker has it.
    async fn last_seal(&self) -> mailbox::seal::Seal {
        let mut last = Vec::new();
        let keep = |line: &[u8]| {
            last = line.to_vec();
            Ok(())
        };
        mailbox::collect_copies(&self.post.from.broker, keep).await.unwrap();
        serde_json::from_slice(&last).unwrap()
    }

    pub(crate) async fn numbers(&self) -> Vec<i64> {
        let mut admin = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::query_scalar("SELECT seq FROM facts ORDER BY seq").fetch_all(&mut admin).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_in_a_real_database_is_found_in_its_dump() {
    let archive = Archive::open().await;
    let running = (archive.post.sender().await, archive.post.sender().await);
    let db = archive.post.outgoing();
    for number in 0..30 {
        tell_now(&db, "agencies/gz/xs/制表符\t和\\反斜线", &format!("{number}\n\"引号\"")).await;
        if number == 15 {
            archive.sealed(16).await;
        }
    }
    archive.sealed(30).await;
    assert!(archive.verify(None).0);
    assert_eq!(archive.verify(None).1[0].split(',').next(), Some("30 facts"));
    // Nobody seals any more what is changed from here on.
    running.0.stop().await.unwrap();
    running.1.stop().await.unwrap();
    let numbers = archive.numbers().await;
    let (one, other, last) = (numbers[3], numbers[20], *numbers.last().unwrap());
    let cases = [
        (format!("UPDATE facts SET actor = 'nobody' WHERE seq = {one}"), format!("fact {one} was edited")),
        (format!("UPDATE facts SET data = (data::text || ' ')::json WHERE seq = {one}"), format!("fact {one} was edited")),
        (format!("UPDATE facts SET at = at + interval '1 us' WHERE seq = {one}"), format!("fact {one} was edited")),
        (format!("DELETE FROM facts WHERE seq = {other}"), format!("fact {other} was deleted")),
        (
            format!("UPDATE facts SET seq = CASE seq WHEN {one} THEN {other} ELSE {one} END WHERE seq IN ({one}, {other})"),
            format!("fact {one} was moved to {other}"),
        ),
        (
            format!(
                "INSERT INTO facts (seq, at, tx, agency, kind, subject, actor, data)
                 SELECT seq, at + interval '1 us', tx, agency, kind, subject, actor, data FROM facts WHERE seq = {one}"
            ),
            format!("fact {one} was inserted"),
        ),
        ("UPDATE seals SET at = at + interval '1 us' WHERE number = 1".into(), "seal 1 was altered".into()),
        (
            "UPDATE seals SET leaves = sha256(leaves) || substr(leaves, 33) WHERE number = 1".into(),
            "the hashes beside seal 1".into(),
        ),
        ("UPDATE seals SET facts = 'x' WHERE number = 1".into(), "seal 1 was altered".into()),
        ("DELETE FROM seals WHERE number = 1".into(), "seal 1 is missing".into()),
    ];
    archive.tamper("CREATE TABLE kept_facts AS TABLE facts; CREATE TABLE kept_seals AS TABLE seals").await;
    for (statement, found) in cases {
        archive.tamper(&statement).await;
        let (well, lines) = archive.verify(None);
        assert!(!well && lines.iter().any(|line| line.starts_with(&found)), "{statement}: {lines:?}");
        archive.tamper("TRUNCATE facts, seals; INSERT INTO facts TABLE kept_facts; INSERT INTO seals TABLE kept_seals").await;
    }
    // The end cut off, facts and seals: only whoever has copies can know.
    let copies = archive.folder.join("copies");
    let collected = Command::new(env!("CARGO_BIN_EXE_opsmesh-verify"))
        .args(["copies", "--broker", archive.post.from.broker.url.expose()])
        .arg(&copies)
        .output()
        .unwrap();
    assert!(collected.status.success(), "{}", String::from_utf8_lossy(&collected.stderr));
    assert!(archive.verify(Some(&copies)).0);
    archive.tamper(&format!("DELETE FROM facts WHERE seq > {other}; DELETE FROM seals WHERE number > 1")).await;
    let (well, lines) = archive.verify(Some(&copies));
    assert!(!well && lines.iter().any(|line| line.starts_with("the end was cut off: seals 2 to ")), "{lines:?}");
    assert!(last > other);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_relay_has_read_is_not_read_again_to_be_sealed() {
    let archive = Archive::open().await;
    let sender = archive.post.sender().await;
    let db = archive.post.outgoing();
    for number in 0..30 {
        tell_now(&db, "agencies/gz/xs/1", &number.to_string()).await;
    }
    archive.sealed(30).await;
    assert!(archive.verify(None).0);
    let metrics = sender.metrics().await;
    let read = metrics.lines().find_map(|line| line.strip_prefix("opsmesh_facts_sealed_read_total ")?.parse::<u32>().ok());
    // One that is sealed before it is carried is read for it.
    assert!(read.is_some_and(|read| read < 30), "{read:?} of 30 were read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_number_that_commits_later_is_sealed_too() {
    let archive = Archive::open().await;
    let _running = archive.post.sender().await;
    let db = archive.post.outgoing();
    tell_now(&db, "agencies/gz/xs/before", "1").await;
    archive.sealed(1).await;
    let mut slow = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
    tell(&mut slow, "agencies/gz/xs/slow", "1").await;
    tell_now(&db, "agencies/gz/xs/quick", "2").await;
    slow.commit().await.unwrap();
    archive.sealed(3).await;
    let (well, lines) = archive.verify(None);
    assert!(well && lines[0].ends_with("0 facts are too new to be sealed"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_with_a_database_from_another_server_is_sealed_once() {
    let archive = Archive::open().await;
    let first = archive.post.sender().await;
    let db = archive.post.outgoing();
    for number in 0..3 {
        tell_now(&db, "agencies/gz/xs/1", &number.to_string()).await;
    }
    archive.sealed(3).await;
    first.stop().await.unwrap();
    // As after a restore: the last seal and a fact that was not sealed yet speak of transactions that are far ahead here.
    let far = 1_u64 << 40;
    let key = SealKey::of(&Secret::new(tests::SEAL_KEY)).unwrap();
    let last: mailbox::seal::Seal = archive.last_seal().await;
    let bounds = mailbox::seal::Bounds { horizon: far, floor: 0 };
    let ahead = key.seal("sender", Some(&last), bounds, last.at, &[]).seal;
    archive
        .tamper(&format!(
            "INSERT INTO seals VALUES ({}, 'sender', '{}', '', {far}, 0, '\\x{}', '\\x{}', '{}', '\\x{}', '');
             INSERT INTO facts (at, tx, agency, kind, subject, actor, data) VALUES (now(), '{far}', 'gz', 'k', 's', 'a', '{{}}')",
            ahead.number,
            ahead.at,
            hex::encode(ahead.root),
            hex::encode(ahead.previous),
            ahead.key,
            hex::encode(&ahead.signature),
        ))
        .await;
    let _second = archive.post.sender().await;
    archive.sealed(4).await;
    tell_now(&db, "agencies/gz/xs/1", "4").await;
    archive.sealed(5).await;
    let (well, lines) = archive.verify(None);
    assert!(well && lines[0].starts_with("5 facts") && lines[0].ends_with("0 facts are too new to be sealed"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_given_a_national_key_goes_on_with_its_chain() {
    const NATIONAL: &str = "sm2:3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    let mut archive = Archive::open().await;
    let first = archive.post.sender().await;
    let db = archive.post.outgoing();
    for number in 0..3 {
        tell_now(&db, "agencies/gz/xs/1", &number.to_string()).await;
    }
    archive.sealed(3).await;
    first.stop().await.unwrap();
    archive.post.stage.seal_key = Some(Secret::new(NATIONAL));
    let second = archive.post.sender().await;
    for number in 3..6 {
        tell_now(&db, "agencies/gz/xs/1", &number.to_string()).await;
    }
    archive.sealed(6).await;
    second.stop().await.unwrap();
    let (well, lines) = archive.verify_by(&[tests::SEAL_KEY, NATIONAL], None);
    assert!(well && lines[0].starts_with("6 facts") && lines[0].ends_with("0 facts are too new to be sealed"), "{lines:?}");
    let (well, lines) = archive.verify_by(&[tests::SEAL_KEY], None);
    assert!(!well && lines.iter().any(|line| line.contains("names the key sm2:")), "{lines:?}");
    let last = *archive.numbers().await.last().unwrap();
    archive.tamper(&format!("UPDATE facts SET actor = 'nobody' WHERE seq = {last}")).await;
    let (well, lines) = archive.verify_by(&[tests::SEAL_KEY, NATIONAL], None);
    assert!(!well && lines.iter().any(|line| line.starts_with(&format!("fact {last} was edited"))), "{lines:?}");
}
