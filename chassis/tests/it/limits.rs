//! What one agency may ask is bounded, another's is not touched, and Redis may be away.
use chassis::{Clock, Host, LimitSettings, Secret};
use tests::{Running, Stage, told};
use tonic::{Code, Status};
use tonic_types::StatusExt;

const ASK: &str = "opsmesh.ticketing.v1.Ticketing/ListTickets";

async fn nothing((): (), _: &mut Host) -> anyhow::Result<()> {
    Ok(())
}

/// A process without services, whose door is reached all the same.
async fn process(redis: &str) -> (Stage, Running) {
    let mut stage = Stage::set().await;
    // A token an hour would be slower still; one a second is refilled while a slow machine asks, so calls are counted until one is refused.
    stage.limits = LimitSettings { redis: Secret::new(redis), per_second: 1, burst: 3, replicas: 2 };
    let running = stage.start("bare", (), Clock::default(), nothing).await;
    (stage, running)
}

/// An agency that no other test has.
fn agency(stage: &Stage) -> String {
    stage.broker().rsplit_once('/').unwrap().1.replace('_', "-")
}

async fn until_refused(stage: &Stage, running: &Running, agency: &str) -> Status {
    let token = stage.issuer.sign(&stage.issuer.person("li", &["auditor"], &[agency]));
    for _ in 0..100 {
        let answer = running.send_bytes(ASK, &token, &[]).await;
        if answer.code() != Code::Unimplemented {
            return answer;
        }
    }
    panic!("a hundred calls were let in");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_that_asks_too_much_is_told_when_to_ask_again_and_others_are_not() {
    for redis in [told("REDIS_URL"), String::new(), "redis://127.0.0.1:1/".into()] {
        let (stage, running) = process(&redis).await;
        let agency = agency(&stage);
        let refused = until_refused(&stage, &running, &agency).await;
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
        assert_eq!(refused.get_details_error_info().unwrap().reason, "RATE_LIMITED");
        let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(!wait.is_zero() && wait.as_secs() <= 2, "{wait:?}");
        let other = stage.issuer.sign(&stage.issuer.person("wu", &["auditor"], &[&format!("{agency}-x")]));
        assert_eq!(running.send_bytes(ASK, &other, &[]).await.code(), Code::Unimplemented, "another agency's budget is its own");
    }
}
