//! The same from the command line, in a service's own pod: `ticketing parked list`, `… replay ID --by NAME`,
//! `… discard ID --by NAME --note WHY`. It also reaches what is no agency's, because nobody could read it.
#![expect(clippy::print_stdout, reason = "a command tells its findings to whoever typed it")]
use anyhow::Context;
use chassis::{Clock, Database, Filter, Scope};
use clap::{Parser, Subcommand};
use proto::mailbox::v1 as pb;
use uuid::Uuid;

use super::{message::Parked, messages};
use crate::inbox::Reactions;

/// At most so many are read at once; whoever has more filters.
const LISTED: i64 = 1_000;

#[derive(Debug, Parser)]
#[command(name = "parked", about = "搁置的消息 Messages that could not be handled")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One JSON object a line, oldest first.
    List {
        /// AIP-160 over `kind`, `subject`, `source`, `reason`, `park_time`.
        #[arg(default_value = "")]
        filter: String,
    },
    /// Handle a message, and what is parked of its subject, in its order.
    Replay {
        /// The last part of its name.
        id: Uuid,
        /// Who does this, for the audit trail.
        #[arg(long)]
        by: String,
    },
    /// Give a message up.
    Discard {
        /// The last part of its name.
        id: Uuid,
        /// Who does this, for the audit trail.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        note: String,
    },
}

/// Runs one.
pub(crate) async fn run<R: Reactions>(
    words: Vec<String>,
    db: Database,
    service: &'static str,
    reactions: &R,
    clock: Clock,
) -> anyhow::Result<()> {
    let arguments = Arguments::try_parse_from(std::iter::once("parked".to_owned()).chain(words))?;
    match arguments.command {
        Command::List { filter } => {
            let asked = Filter::read(&filter, messages::COLUMNS)?;
            let mut tx = db.begin(&Scope::platform("parked")).await?;
            for parked in messages::list(&mut tx, None, &asked, None, LISTED).await? {
                print(parked)?;
            }
        }
        Command::Replay { id, by } => {
            let mut tx = db.begin(&whose(&db, id, &by).await?).await?;
            let replayed = messages::replay(&mut tx, service, reactions, id, clock.now()).await?;
            tx.commit().await?;
            let stopped = replayed.stopped_at.as_ref().map(|parked| parked.reason.clone());
            println!("{}", serde_json::to_string(&pb::ReplayParkedMessageResponse::from(replayed))?);
            if let Some(reason) = stopped {
                anyhow::bail!("it still cannot be handled: {reason}");
            }
        }
        Command::Discard { id, by, note } => {
            let mut tx = db.begin(&whose(&db, id, &by).await?).await?;
            let parked = messages::discard(&mut tx, id, note, clock.now()).await?;
            tx.commit().await?;
            print(parked)?;
        }
    }
    Ok(())
}

/// The scope of the agency that a message is of; what is nobody's only the platform touches.
async fn whose(db: &Database, id: Uuid, by: &str) -> anyhow::Result<Scope> {
    let mut tx = db.begin(&Scope::platform("parked")).await?;
    let agency = messages::adopt(&mut tx, id).await.with_context(|| format!("parked message {id}"))?;
    tx.commit().await?;
    Ok(agency.map_or(Scope::platform("parked"), |agency| Scope::reaction(by, &agency)))
}

fn print(parked: Parked) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(&pb::ParkedMessage::from(parked))?);
    Ok(())
}
