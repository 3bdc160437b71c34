//! V1 and V2 under kills: inspection's findings travel to ticketing and callers open tickets, while services, broker and database server are killed at
//! named moments and at random. Then every acknowledged change is there, with exactly one effect, in order, and nothing half exists.
//!
//! `OPSMESH_KILLS` says how many kills (`./x prove kills`: 1,000), `OPSMESH_SEED` repeats a run.
use std::time::Duration;

use tests::Moment;

use crate::under_load::{
    audit,
    house::{self, Fittings, House, Victim},
    load::Load,
    seed,
};

/// Few enough for `./x test`, enough for each named moment and each victim.
const KILLS: u64 = 30;
/// A moment comes within this; else something is listened for that no longer happens.
const MOMENT_WITHIN: Duration = Duration::from_secs(60);

/// Whom to kill at which moment. Statements are those of the transactions meant.
const MOMENTS: &[(Victim, Moment)] = &[
    (Victim::Ticketing, Moment::CommitAsked(house::CALL)),
    (Victim::Ticketing, Moment::CommitAnswered(house::CALL)),
    (Victim::Inspection, Moment::CommitAsked(house::RESULTS)),
    (Victim::Inspection, Moment::CommitAnswered(house::RESULTS)),
    (Victim::Inspection, Moment::Sent),
    (Victim::Inspection, Moment::Confirmed),
    (Victim::Inspection, Moment::CommitAsked(house::MARK)),
    (Victim::Inspection, Moment::CommitAnswered(house::MARK)),
    (Victim::Ticketing, Moment::CommitAsked(house::EFFECT)),
    (Victim::Ticketing, Moment::CommitAnswered(house::EFFECT)),
    (Victim::Ticketing, Moment::Acknowledging),
    (Victim::Ticketing, Moment::Acknowledged),
];

/// Of so many kills one is in a crowd, after all the others: two transactions of an agency are under way then.
const ONE_IN: u64 = 5;
/// A crowd stays for so many of them. It leaves little for messages, which come back with each kill, and what has come back a hundred times the broker gives up
/// (`mailbox`'s `DELIVERY_LIMIT`): so then it goes, and what was told is handled.
const CROWD_STAYS: u64 = 25;
/// Whom to kill in a crowd, and when; nobody is named where it is drawn.
const CROWDED: &[Option<Moment>] = &[Some(Moment::CommitAsked(house::CALL)), Some(Moment::CommitAnswered(house::CALL)), None];

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_is_killed_and_whenever_every_acknowledged_change_is_a_fact_with_one_effect() {
        let seed = seed::setting("OPSMESH_SEED").unwrap_or_else(seed::random);
        let kills = seed::setting("OPSMESH_KILLS").unwrap_or(KILLS);
        seed::said(&format!("seed {seed}: OPSMESH_SEED={seed} OPSMESH_KILLS={kills} ./x test kills repeats this run"));
        let mut house = House::open(Fittings::default()).await;
        let mut load = Load::begin(&house, seed).await;
        let alone = kills - kills / ONE_IN;
        for kill in 0..alone {
            load.goes_on().await;
            let named = usize::try_from(kill).unwrap();
            if let Some((victim, moment)) = MOMENTS.get(named % MOMENTS.len()).filter(|_| named < MOMENTS.len() || kill % 3 == 0)
            {
                held(&house, *victim, *moment).await;
                house.kill(*victim).await;
            } else {
                kill_at_random(&mut house, seed::draw(seed, kill)).await;
            }
        }
        for kill in alone..kills {
            if (kill - alone).is_multiple_of(CROWD_STAYS) {
                load.disperse().await;
                audit::caught_up(&house).await;
                load.gather(&house, seed).await;
            }
            load.goes_on().await;
            if let Some(moment) = CROWDED[usize::try_from(kill).unwrap() % CROWDED.len()] {
                held(&house, Victim::Ticketing, moment).await;
                // Those beside what is held are written, and what is held is not known of.
                load.goes_on_in_the_crowd().await;
                house.kill(Victim::Ticketing).await;
            } else {
                kill_at_random(&mut house, seed::draw(seed, kill)).await;
            }
        }
        load.goes_on().await;
        let acknowledged = load.end().await;
        let seen = audit::settled(&house, &acknowledged).await;
        seed::noted(&format!("seed {seed}, {kills} kills. {}. {seen}.", house.summary()));
    }
}

/// Waits until a moment has come, and leaves it held.
async fn held(house: &House, victim: Victim, moment: Moment) {
    let reached = house.hold(victim, moment).await;
    tokio::time::timeout(MOMENT_WITHIN, reached).await.unwrap_or_else(|_| panic!("{victim:?} never came to {moment:?}")).unwrap();
}

/// Kills whom the draw names, not in step with what is going on.
async fn kill_at_random(house: &mut House, draw: u64) {
    tokio::time::sleep(Duration::from_millis(draw % 250)).await;
    house.kill(Victim::drawn(draw >> 16)).await;
}
