//! What one agency may ask is bounded, another's is not touched, and Redis may be away.
use std::time::Duration;

use chassis::{Clock, Host, LimitSettings, Secret};
use redis::AsyncCommands;
use tests::{Proxy, Running, Stage, Way, Weather, eventually, told};
use tokio::time::{Instant, timeout};
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

/// Slower than any answer of a machine that is busy with other tests; Redis is waited for a twentieth of a second.
const ANSWERED: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_and_calls_are_answered_whatever_becomes_of_redis() {
    let (proxy, through) = Proxy::before_url(&told("REDIS_URL")).await;
    let (stage, running) = process(&through).await;
    let client = redis::Client::open(told("REDIS_URL")).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let name = agency(&stage);
    let slow = Weather::Slow(Duration::from_millis(30), Duration::from_millis(90));
    let weathers =
        [Weather::Fair, Weather::HangingUp, Weather::Swallowing(Way::Both), Weather::HalfOpen, slow, Weather::Truncating(3)];
    for (number, weather) in weathers.into_iter().enumerate() {
        proxy.weather(weather);
        let agency = format!("{name}-{number}");
        let token = stage.issuer.sign(&stage.issuer.person("li", &["auditor"], &[&agency]));
        let begun = Instant::now();
        timeout(ANSWERED, running.send_bytes(ASK, &token, &[]))
            .await
            .unwrap_or_else(|_| panic!("{weather:?}: {:?}", begun.elapsed()));
        let refused = until_refused(&stage, &running, &agency).await;
        assert_eq!(refused.get_details_error_info().unwrap().reason, "RATE_LIMITED", "{weather:?}");
    }

    // Once it is back, the replicas share their limits again.
    proxy.weather(Weather::Fair);
    let agency = format!("{name}-back");
    let key = format!("opsmesh:limit:agencies/{agency}");
    let token = stage.issuer.sign(&stage.issuer.person("li", &["auditor"], &[&agency]));
    eventually("redis to be asked again", || async {
        running.send_bytes(ASK, &token, &[]).await;
        let mut redis = redis.clone();
        let there: bool = redis.exists(&key).await.unwrap();
        if there { Ok(()) } else { Err("no budget is kept in redis") }
    })
    .await;

    // What it held is lost (as by FLUSHALL, but others stand on this server, too): a budget that is not there is full, and holds from then on.
    until_refused(&stage, &running, &agency).await;
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut redis).await.unwrap();
    let _: () = redis.del(&key).await.unwrap();
    assert_eq!(running.send_bytes(ASK, &token, &[]).await.code(), Code::Unimplemented, "let in");
    until_refused(&stage, &running, &agency).await;
}
